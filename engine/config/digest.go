package config

import (
	"hash/maphash"
	"reflect"
	"slices"
	"strings"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

// Parts are digests of what a component is configured by, each attribute and
// nested block by its name. Two of one name that are equal mean the same; they are
// keyed by this process and tell nothing of the secrets in them.
type Parts map[string]uint64

// Differ are the names of parts that are not the same in both, sorted.
func (p Parts) Differ(other Parts) []string {
	var names []string
	for name, sum := range p {
		if theirs, ok := other[name]; !ok || theirs != sum {
			names = append(names, name)
		}
	}
	for name := range other {
		if _, ok := p[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// forPeople are attributes that change nothing that runs.
var forPeople = map[string]bool{"description": true, "for_each": true}

// digester computes digests once everything is decoded.
type digester struct {
	l      *loader
	seed   maphash.Seed
	whens  map[component.Address]expr.Expr // of sinks
	bodies map[component.Address]*Body     // of flows
}

// digestSeed keys the digests of this process.
var digestSeed = maphash.MakeSeed()

// digest gives every component and flow its Parts.
func (l *loader) digest() {
	d := digester{l, digestSeed, map[component.Address]expr.Expr{}, map[component.Address]*Body{}}
	for _, c := range slices.Concat(l.config.Connections, l.config.Sources, l.config.Sinks) {
		c.Parts = Parts{}
		d.parts(c.Parts, reflect.ValueOf(c.Config).Elem())
		if c.Source != nil {
			d.parts(c.Parts, reflect.ValueOf(c.Source).Elem())
		}
		if c.Sink != nil {
			d.parts(c.Parts, reflect.ValueOf(c.Sink).Elem())
			d.whens[c.Address] = c.Sink.When
		}
	}
	for _, f := range l.config.Flows {
		d.bodies[f.Address] = f.Body
	}
	for _, f := range l.config.Flows {
		f.Parts = d.flow(f)
	}
}

func (d *digester) parts(into Parts, v reflect.Value) {
	for _, f := range d.l.specs.of(v.Type()).fields {
		if !forPeople[f.name] {
			into[f.name] = d.sum(func(h *maphash.Hash) { d.value(h, v.FieldByIndex(f.index), f) })
		}
	}
}

func (d *digester) sum(write func(*maphash.Hash)) uint64 {
	var h maphash.Hash
	h.SetSeed(d.seed)
	write(&h)
	return h.Sum64()
}

// flow digests a flow with all that runs in its place: the steps of transforms, the
// flows it calls, the conditions of its sinks.
func (d *digester) flow(f *Flow) Parts {
	p := Parts{}
	p["from"] = d.sum(func(h *maphash.Hash) { d.addresses(h, f.From) })
	p["order_by"] = d.sum(f.OrderBy.WriteDigest)
	p["on_dead"] = d.sum(func(h *maphash.Hash) { expr.WriteValue(h, f.Hold) })
	p["concurrency"] = d.sum(func(h *maphash.Hash) { expr.WriteValue(h, int64(f.Concurrency)) })
	p["dead_letter"] = d.sum(func(h *maphash.Hash) { expr.WriteValue(h, string(f.DeadLetter)) })
	d.reach(p, f.Body, "steps")
	if called := d.bodies[f.DeadLetter]; called != nil {
		d.reach(p, called, string(f.DeadLetter))
	}
	return p
}

// reach adds the part of a body, and those of what it leads to.
func (d *digester) reach(p Parts, b *Body, name string) {
	if _, known := p[name]; known {
		return
	}
	p[name] = d.sum(func(h *maphash.Hash) { d.body(h, b) })
	d.eachTarget(b, func(to component.Address) {
		if called := d.bodies[to]; called != nil {
			d.reach(p, called, string(to))
		} else if when := d.whens[to]; when.IsSet() {
			p[string(to)+" when"] = d.sum(when.WriteDigest)
		}
	})
}

func (d *digester) eachTarget(b *Body, do func(component.Address)) {
	for _, to := range b.To {
		do(to)
	}
	for _, s := range b.Steps {
		for _, c := range s.Cases {
			d.eachTarget(c.Body, do)
		}
	}
}

func (d *digester) body(h *maphash.Hash, b *Body) {
	d.addresses(h, b.To)
	for _, s := range b.Steps {
		expr.WriteValue(h, s.Type)
		expr.WriteValue(h, s.Label)
		switch {
		case s.Apply != nil:
			d.body(h, s.Apply)
		case s.Config != nil:
			d.structure(h, reflect.ValueOf(s.Config).Elem())
		}
		expr.WriteValue(h, s.All)
		for _, c := range s.Cases {
			expr.WriteValue(h, c.Name)
			c.When.WriteDigest(h)
			d.body(h, c.Body)
		}
	}
	h.WriteByte('.')
}

func (d *digester) addresses(h *maphash.Hash, list []component.Address) {
	expr.WriteValue(h, int64(len(list)))
	for _, a := range list {
		expr.WriteValue(h, string(a))
	}
}

func (d *digester) structure(h *maphash.Hash, v reflect.Value) {
	sp := d.l.specs.of(v.Type())
	for _, f := range sp.fields {
		expr.WriteValue(h, f.name)
		d.value(h, v.FieldByIndex(f.index), f)
	}
	for _, f := range []*field{sp.rest, sp.own} {
		if f != nil {
			d.value(h, v.FieldByIndex(f.index), f)
		}
	}
}

// value adds a field or a part of it.
func (d *digester) value(h *maphash.Hash, v reflect.Value, f *field) {
	switch x := v.Interface().(type) {
	case expr.Expr:
		x.WriteDigest(h)
		return
	case expr.Template:
		x.WriteDigest(h)
		return
	case component.Secret:
		expr.WriteValue(h, x.Reveal())
		return
	case component.Ref:
		expr.WriteValue(h, string(x.Address))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if h.WriteByte('p'); !v.IsNil() {
			d.value(h, v.Elem(), f)
		}
	case reflect.Struct:
		if sp := d.l.specs.of(v.Type()); len(sp.fields) == 0 {
			maphash.WriteComparable(h, v.Interface())
			return
		}
		d.structure(h, v)
	case reflect.Slice:
		expr.WriteValue(h, int64(v.Len()))
		for i := range v.Len() {
			d.value(h, v.Index(i), f)
		}
	case reflect.Map:
		names := v.MapKeys()
		slices.SortFunc(names, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		expr.WriteValue(h, int64(len(names)))
		for _, k := range names {
			expr.WriteValue(h, k.String())
			d.value(h, v.MapIndex(k), f)
		}
	case reflect.String:
		expr.WriteValue(h, v.String())
		if f.path {
			d.file(h, v.String())
		}
	case reflect.Interface:
		expr.WriteValue(h, v.Interface())
	default:
		maphash.WriteComparable(h, v.Interface())
	}
}

// file adds what the file at path holds: a component that reads it has changed when
// it has.
func (d *digester) file(h *maphash.Hash, path string) {
	text, err := readBounded(path, maxIncluded)
	expr.WriteValue(h, err == nil)
	expr.WriteValue(h, string(text))
}

// Identity are the attributes that say what the component counts: when one of them
// changes, its checkpoint starts over.
func (c *Component) Identity() []string {
	var names []string
	for _, f := range (specs{}).of(reflect.TypeOf(c.Config).Elem()).fields {
		if f.identity {
			names = append(names, f.name)
		}
	}
	return names
}
