package expr

import (
	"sync/atomic"

	"github.com/syncd/syncd/engine/row"
)

// body is the event's body; of a row, an object that holds the same.
func (m *machine) body() any {
	r, ok := m.in.Body.(*row.Row)
	if !ok {
		return m.in.Body
	}
	if m.whole == nil {
		m.take(max(objectWeight, r.Len()*pairWeight), m.text.whole())
		m.whole = r.Map()
	}
	return m.whole
}

// meta is the event's meta, decoded now if nobody has needed it before.
func (m *machine) meta() any {
	if m.in.Kept == nil {
		return object(m.in.Meta)
	}
	meta, err := m.in.Kept.Meta()
	if err != nil {
		m.fail(m.text.whole(), "", "meta cannot be read: %v", err)
	}
	return object(meta)
}

// bodyField is body.name, which finds the value in a row without making an object of it.
type bodyField struct {
	*memberNode
	last atomic.Pointer[place]
}

// place is where a shape has the field; -1: it has none.
type place struct {
	shape *row.Shape
	at    int
}

func (n *bodyField) eval(m *machine) any {
	r, ok := m.in.Body.(*row.Row)
	if !ok {
		return n.memberNode.eval(m)
	}
	p := n.last.Load()
	if p == nil || p.shape != r.Shape {
		p = &place{r.Shape, -1}
		if at, ok := r.Shape.Index(n.name); ok {
			p.at = at
		}
		n.last.Store(p)
	}
	if p.at < 0 {
		return nil
	}
	return r.Values[p.at]
}
