package expr

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"
)

func (p *program) names() nameSet { return p.uses }
func (p *program) kinds() kind    { return p.kind }
func (p *program) source() Source { return p.src }

// eval runs the text and makes its result fit to be kept: of known kinds, and
// not larger, once written out, than the budget allows.
func (p *program) eval(m *machine) any {
	m.reserve(p)
	v := p.root.eval(m)
	if m.exotic {
		v = m.plain(v, 0)
		m.exotic = false
	}
	if p.grows {
		m.measure(v, p.whole(), 0)
	}
	return v
}

func (p *program) whole() span { return span{0, int32(len(p.src.Text))} }

// measure goes through a result as whoever writes it out will: what is shared
// counts every time it is met.
func (m *machine) measure(v any, at span, depth int) {
	switch v := v.(type) {
	case []any:
		m.deeper(depth, at)
		m.step(len(v)/8+1, at)
		for _, e := range v {
			m.measure(e, at, depth+1)
		}
	case map[string]any:
		m.deeper(depth, at)
		m.step(len(v)/2+3, at)
		for _, e := range v {
			m.measure(e, at, depth+1)
		}
	case string:
		if len(v) > 16 {
			m.take(len(v), at)
		}
	}
}

// plain turns durations and time zones into text, copying only what holds one.
func (m *machine) plain(v any, depth int) any {
	at := m.text.whole()
	switch v := v.(type) {
	case time.Duration, *time.Location:
		return fmt.Sprint(v)
	case []any:
		m.deeper(depth, at)
		out := m.newList(len(v), at)
		for _, e := range v {
			m.step(1, at)
			out = append(out, m.plain(e, depth+1))
		}
		return out
	case map[string]any:
		m.deeper(depth, at)
		out := m.newObject(len(v), at)
		for k, e := range v {
			m.step(1, at)
			out[k] = m.plain(e, depth+1)
		}
		return out
	}
	return v
}

// fromGo turns values of Go's other types into those of Input. What has no
// counterpart stays as it is, and fails where it is used.
func fromGo(v any) any {
	switch v := v.(type) {
	case nil, bool, int64, float64, string, json.Number, time.Time, Unknown:
		return v
	case time.Duration:
		return v.String()
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = fromGo(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = fromGo(e)
		}
		return out
	}
	return fromReflect(reflect.ValueOf(v))
}

func fromReflect(r reflect.Value) any {
	switch {
	case r.CanInt():
		return r.Int()
	case r.CanUint():
		return readNumber(fmt.Sprint(r.Uint()))
	case r.CanFloat():
		return r.Float()
	case r.Kind() == reflect.String:
		return r.String()
	case r.Kind() == reflect.Bool:
		return r.Bool()
	case r.Kind() == reflect.Slice:
		out := make([]any, r.Len())
		for i := range out {
			out[i] = fromGo(r.Index(i).Interface())
		}
		return out
	case r.Kind() == reflect.Map && r.Type().Key().Kind() == reflect.String:
		out := make(map[string]any, r.Len())
		for it := r.MapRange(); it.Next(); {
			out[it.Key().String()] = fromGo(it.Value().Interface())
		}
		return out
	}
	return r.Interface()
}
