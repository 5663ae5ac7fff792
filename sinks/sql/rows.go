package sql

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
	shaped "github.com/syncd/syncd/engine/row"
)

// row is what one delivery does to the table.
type row struct {
	at      int // the delivery's place in the call
	id      id
	mode    string // "" for a statement
	columns []*column
	values  []any
}

// rower makes rows of events. Its errors are the event's.
type rower struct {
	cfg     *Config
	table   *table   // nil for a statement
	names   []string // of columns, sorted, or of a statement's values
	columns []*column
	last    layout // of the last body
}

// layout is which fields a body has, and what columns they go to.
type layout struct {
	shape   *shaped.Shape // nil: an object's
	fields  []string
	at      []int // where a row of the shape has them
	columns []*column
}

// holds tells whether a body has just these fields.
func (l *layout) holds(body map[string]any) bool {
	return l.shape == nil && len(body) == len(l.fields) &&
		!slices.ContainsFunc(l.fields, func(f string) bool { _, ok := body[f]; return !ok })
}

// newRower checks what the configuration names against the table. Without a table,
// names are those of a statement.
func newRower(cfg *Config, t *table, names []string) (*rower, error) {
	r := &rower{cfg: cfg, table: t, names: names}
	if t == nil {
		return r, nil
	}
	r.names = slices.Sorted(maps.Keys(cfg.Columns))
	for _, name := range r.names {
		c := t.column(name)
		if c == nil {
			return nil, t.missing(name, "columns")
		}
		r.columns = append(r.columns, c)
	}
	return r, nil
}

func (r *rower) row(e *component.Event) (row, error) {
	if r.table == nil {
		values, err := r.evaluate(r.cfg.Params, r.names, e.Input())
		return row{values: values}, err
	}
	mode, err := r.mode(e)
	if err != nil {
		return row{}, err
	}
	columns, values, err := r.fields(e, mode)
	if err != nil {
		return row{}, err
	}
	if mode == remove {
		columns, values = keysOf(columns, values)
	}
	for i, c := range columns {
		if c.isKey && values[i] == nil {
			return row{}, fmt.Errorf("%s is null, and key names it", c.name)
		}
		if values[i], err = c.kind.value(values[i]); err != nil {
			return row{}, fmt.Errorf("column %s: %w", c.name, err)
		}
	}
	out := row{mode: mode, columns: columns, values: values}
	return out.ordered(), r.whole(&out)
}

// fields are the columns that an event is about, and values of its own for them. The
// columns are those of many rows.
func (r *rower) fields(e *component.Event, mode string) ([]*column, []any, error) {
	if len(r.columns) > 0 {
		values, err := r.computed(e, mode)
		return r.columns, values, err
	}
	if body, ok := e.Body.(*shaped.Row); ok {
		return r.ofRow(body, mode)
	}
	body, _ := e.Body.(map[string]any)
	return r.ofBody(body, mode)
}

func (r *rower) computed(e *component.Event, mode string) ([]any, error) {
	in := e.Input()
	values := make([]any, len(r.columns))
	for i, c := range r.columns {
		if mode == remove && !c.isKey {
			continue
		}
		var err error
		if values[i], err = r.cfg.Columns[r.names[i]].Eval(in); err != nil {
			return nil, fmt.Errorf("compute column %s: %w", c.name, err)
		}
	}
	return values, nil
}

// keysOf leaves what a DELETE looks at.
func keysOf(columns []*column, values []any) (keys []*column, of []any) {
	for i, c := range columns {
		if c.isKey {
			keys, of = append(keys, c), append(of, values[i])
		}
	}
	return keys, of
}

// whole tells what a row lacks.
func (r *rower) whole(out *row) error {
	keys := 0
	for _, c := range out.columns {
		if c.isKey {
			keys++
		}
	}
	switch {
	case len(out.columns) == 0:
		return errors.New("no field to store: the body must be an object, or give columns")
	case out.mode != insert && keys < len(r.cfg.Key):
		return fmt.Errorf("the body lacks a field of the key (%s)", strings.Join(r.cfg.Key, ", "))
	case out.mode == update && keys == len(out.columns):
		return errors.New("nothing to update: the body has no field beside the key")
	}
	return nil
}

// ordered: an UPDATE binds the values that it sets before the key's.
func (out row) ordered() row {
	if out.mode != update {
		return out
	}
	o := row{mode: out.mode}
	for _, key := range []bool{false, true} {
		for i, c := range out.columns {
			if c.isKey == key {
				o.columns, o.values = append(o.columns, c), append(o.values, out.values[i])
			}
		}
	}
	return o
}

func (r *rower) mode(e *component.Event) (string, error) {
	if !r.cfg.ModeBy.IsSet() {
		return r.cfg.mode(), nil
	}
	v, err := r.cfg.ModeBy.Eval(e.Input())
	if err != nil {
		return "", fmt.Errorf("compute mode_by: %w", err)
	}
	mode, _ := v.(string)
	if !slices.Contains(modes, mode) {
		return "", fmt.Errorf("mode_by yields %v: it must be insert, upsert, update or delete", v)
	}
	return mode, nil
}

// ofBody finds the columns of an object's fields. Most have the fields of the one before.
func (r *rower) ofBody(body map[string]any, mode string) ([]*column, []any, error) {
	l := &r.last
	if !l.holds(body) {
		var err error
		if l, err = r.lay(nil, slices.Sorted(maps.Keys(body)), mode); err != nil {
			return nil, nil, err
		}
	}
	values := make([]any, len(l.fields))
	for i, f := range l.fields {
		values[i] = body[f]
	}
	return l.columns, values, nil
}

// ofRow is ofBody for a record whose shape tells its fields.
func (r *rower) ofRow(body *shaped.Row, mode string) ([]*column, []any, error) {
	l := &r.last
	if l.shape != body.Shape {
		var err error
		if l, err = r.lay(body.Shape, slices.Collect(body.Shape.Names()), mode); err != nil {
			return nil, nil, err
		}
	}
	values := make([]any, len(l.fields))
	for i, at := range l.at {
		values[i] = body.Values[at]
	}
	return l.columns, values, nil
}

// lay finds the columns of these fields, which are sorted.
func (r *rower) lay(shape *shaped.Shape, fields []string, mode string) (*layout, error) {
	l := layout{shape: shape}
	for _, name := range fields {
		c := r.table.column(name)
		if c == nil && mode == remove {
			continue // what a delete does not need has no column
		}
		if c == nil {
			return nil, fmt.Errorf("table %s has no column %s for the field of that name; it has %s",
				r.table.name, name, strings.Join(r.table.names(), ", "))
		}
		if slices.Contains(l.columns, c) {
			return nil, fmt.Errorf("two fields of the body are column %s", c.name)
		}
		l.fields, l.columns = append(l.fields, name), append(l.columns, c)
		if shape != nil {
			at, _ := shape.Index(name)
			l.at = append(l.at, at)
		}
	}
	if len(l.fields) == len(fields) {
		r.last = l
	}
	return &l, nil
}

func (r *rower) evaluate(from map[string]expr.Expr, names []string, in *expr.Input) ([]any, error) {
	values := make([]any, len(names))
	for i, name := range names {
		v, err := from[name].Eval(in)
		if err == nil {
			v, err = plain.value(v)
		}
		if err != nil {
			return nil, fmt.Errorf("compute parameter %s: %w", name, err)
		}
		values[i] = v
	}
	return values, nil
}

// alike tells whether two rows can be done by one statement.
func alike(a, b *row) bool {
	same := len(a.columns) == len(b.columns) && (len(a.columns) == 0 || &a.columns[0] == &b.columns[0])
	return a.mode == b.mode && (same || slices.Equal(a.columns, b.columns))
}

// runs are the rows that follow one another and are alike.
func runs(rows []row) [][]row {
	var all [][]row
	for begin, i := 0, 1; i <= len(rows); i++ {
		if i == len(rows) || !alike(&rows[begin], &rows[i]) {
			all = append(all, rows[begin:i])
			begin = i
		}
	}
	return all
}
