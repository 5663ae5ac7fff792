package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/syncd/syncd/engine/component"
)

// decode fills the configurations of all blocks of the top level.
func (l *loader) decode() {
	l.decodeDaemon()
	l.decodeListeners()
	l.decodeTables()
	l.decodeComponents(component.ClassConnection, &l.config.Connections)
	l.orderConnections()
	l.decodeComponents(component.ClassSource, &l.config.Sources)
	l.decodeComponents(component.ClassSink, &l.config.Sinks)
	l.decodeTransforms()
	l.decodeFlows()
	l.decodeMoved()
}

// What expressions of each class see of an event.
var (
	sourceNames = []string{"body", "meta", "event"}
	flowNames   = []string{"body", "meta", "event", "vars", "parent"}
)

func (l *loader) decodeComponents(class component.Class, into *[]*Component) {
	for _, d := range l.components[string(class)] {
		l.within(d, func() {
			if c := l.decodeComponent(class, d); c != nil && d.stands() {
				*into = append(*into, c)
				d.result = c
			}
		})
	}
}

// decodeComponent gives nil for a block of an unknown kind.
func (l *loader) decodeComponent(class component.Class, d *declared) *Component {
	kind, ok := l.kinds[class][d.block.Labels[0]]
	if !ok {
		known := keys(l.kinds[class])
		at := d.file.at(d.block.LabelRanges[0])
		l.error(at, fmt.Sprintf("unknown %s %q", class, d.block.Labels[0]), kindsHint(class, known)+line(suggest(d.block.Labels[0], known)))
		return nil
	}
	c := &Component{Address: d.address, Kind: kind, Config: kind.NewConfig(), Place: d.place()}
	dec := l.decoding(d.file, "in "+blockName(d.block), namesOf(kind)...)
	dec.records = kind.Records
	configs := []any{c.Config, &repeatable{}}
	switch class {
	case component.ClassSource:
		c.Source = newCommon(class).(*component.SourceCommon)
		configs = append(configs, c.Source)
		dec.common = c.Source
	case component.ClassSink:
		c.Sink = newCommon(class).(*component.SinkCommon)
		configs = append(configs, c.Sink)
	}
	dec.block(d.block, "", configs...)
	if d.stands() {
		dec.defaultListeners(d, reflect.ValueOf(c.Config).Elem())
	}
	dec.validate()
	dec.checkMemory(c)
	if l.index[d.address] == d { // a copy wants all that the first one wants
		dec.claim(d.address)
	}
	if class == component.ClassConnection {
		l.ways[d.address] = dec.leads()
	}
	for _, ref := range dec.refs {
		if !slices.Contains(c.Refs, ref.address) {
			c.Refs = append(c.Refs, ref.address)
		}
	}
	return c
}

func namesOf(kind component.Kind) []string {
	switch kind.Class {
	case component.ClassSource:
		if kind.Records {
			return nil
		}
		return sourceNames
	case component.ClassSink, component.ClassStep:
		return flowNames
	}
	return nil
}

func kindsHint(class component.Class, known []string) string {
	if len(known) == 0 {
		return fmt.Sprintf("There is no kind of %s here.", class)
	}
	if len(known) == 1 {
		return fmt.Sprintf("The only kind of %s is %s.", class, known[0])
	}
	return fmt.Sprintf("Kinds of %s are %s.", class, list(known))
}

// defaultListeners gives a component that names no listener the one there is.
func (d *decoding) defaultListeners(decl *declared, config reflect.Value) {
	for _, f := range d.l.specs.of(config.Type()).fields {
		if f.typ != refType || len(f.ref) == 0 || !strings.HasPrefix(f.ref[0], "listener.") || given(decl.block, f.name) {
			continue
		}
		if address, ok := d.l.onlyListener(d, decl); ok {
			config.FieldByIndex(f.index).Set(reflect.ValueOf(component.Ref{Address: address}))
			d.refs = append(d.refs, reference{f.name, address, decl.spot()})
		}
	}
}
