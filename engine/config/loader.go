package config

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

// loader is one call of Load on its way.
type loader struct {
	opts   Options
	kinds  map[component.Class]map[string]component.Kind
	specs  specs
	config Config
	diags  Diagnostics

	files      []*file
	depends    []string // other files that were read or looked for
	incomplete bool     // some file did not parse: what is missing may stand there

	blocks    map[string][]declared // by block type, in order
	listeners []component.Address
	index     map[component.Address]*declared
	globals   globals
	ruled     []*ruled
	tables    map[string]*expr.Table
	scopes    map[string]*expr.Scope
	uuids     map[string]int             // how often a text that makes uuids stands in an attribute
	ways      map[component.Address]*way // of flows and transforms
	inCycle   map[component.Address]bool // reported already
	claims    map[string]claimant
	unset     []unsetName // what functions missed in the evaluation at hand
	steps     map[string]bool

	components map[string][]*declared // that the blocks of repeatableTypes make, by block type
	expanding  bool                   // while a for_each is evaluated
	each       *each                  // of the component at hand
	findings   []finding              // in components that for_each made

	referred    map[component.Address]bool // connections, listeners and transforms that something names
	constants   []constant
	misdeclared map[string]bool // labels of blocks that are no block for a mistake of their own

	attributes attributeNames
	allHomes   map[string][]home
}

// declared is a block of the top level, or one component of a block with for_each.
type declared struct {
	address component.Address
	file    *file
	block   *hclsyntax.Block
	result  any     // *Component, *Flow, *Listener or the *Body of a transform; nil if it has mistakes
	repeat  *repeat // of a block with for_each
	each    *each   // of a component that for_each made
}

func (d *declared) spot() spot {
	return spot{file: d.file, start: header(d.block).Start.Byte, end: header(d.block).End.Byte}
}

func (d *declared) place() string { return d.file.place(d.block.TypeRange) }

func newLoader(kinds []component.Kind, opts Options) *loader {
	l := &loader{
		opts:        opts,
		kinds:       map[component.Class]map[string]component.Kind{},
		specs:       specs{},
		blocks:      map[string][]declared{},
		index:       map[component.Address]*declared{},
		tables:      map[string]*expr.Table{},
		components:  map[string][]*declared{},
		scopes:      map[string]*expr.Scope{},
		uuids:       map[string]int{},
		ways:        map[component.Address]*way{},
		inCycle:     map[component.Address]bool{},
		claims:      map[string]claimant{},
		referred:    map[component.Address]bool{},
		misdeclared: map[string]bool{},
	}
	if l.opts.LookupEnv == nil {
		l.opts.LookupEnv = func(string) (string, bool) { return "", false }
	}
	for _, k := range kinds {
		if l.kinds[k.Class] == nil {
			l.kinds[k.Class] = map[string]component.Kind{}
		}
		l.kinds[k.Class][k.Name] = k
	}
	return l
}

// placeholders tells whether what is not known here may stay open.
func (l *loader) placeholders() bool { return l.opts.Placeholders && !l.opts.Strict }

// spot is a stretch of a file, in bytes, and the blocks around it.
type spot struct {
	file       *file
	start, end int
	context    string
	field      *field // whose value stands there; nil where that does not matter
}

// source is the text that a spot covers, on one line.
func (at spot) source() string {
	return strings.Join(strings.Fields(string(at.file.text[at.start:at.end])), " ")
}

// report notes a diagnostic, unless it is about a block that did not parse.
func (l *loader) report(s Severity, at spot, summary, detail string) {
	if at.file == nil || !at.file.damaged(at.start) {
		l.note(s, at, summary, detail)
	}
}

func (l *loader) note(s Severity, at spot, summary, detail string) {
	d := Diagnostic{Severity: s, Summary: summary, Detail: detail, Context: at.context}
	if at.file != nil {
		d.Range = Range{File: at.file.path, Start: at.file.pos(at.start), End: at.file.pos(max(at.start, at.end))}
		d.Source = l.shown(at.file, at.start, at.file.line(d.Range.Start.Line))
	}
	if l.each != nil {
		l.findings = append(l.findings, finding{l.each, d})
		return
	}
	l.diags = append(l.diags, d)
}

func (l *loader) error(at spot, summary, detail string) { l.report(Error, at, summary, detail) }

func (l *loader) warn(at spot, summary, detail string) { l.report(Warning, at, summary, detail) }

// fail notes an error that no place in a file is to blame for.
func (l *loader) fail(summary, detail string) { l.report(Error, spot{}, summary, detail) }

// header is a block's type and labels.
func header(b *hclsyntax.Block) hcl.Range {
	if n := len(b.LabelRanges); n > 0 {
		return hcl.RangeBetween(b.TypeRange, b.LabelRanges[n-1])
	}
	return b.TypeRange
}

// blockName is a block as messages call it: source "webhook" "orders".
func blockName(b *hclsyntax.Block) string {
	var s strings.Builder
	s.WriteString(b.Type)
	for _, label := range b.Labels {
		fmt.Fprintf(&s, " %q", label)
	}
	return s.String()
}
