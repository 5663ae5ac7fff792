package flow

import (
	"strings"

	"github.com/syncd/syncd/engine/component"
)

// room is where the items, deliveries and ids of a chunk are made: each kind in one
// piece of memory, or by itself when there are more than was reckoned with.
type room struct {
	items      []item
	deliveries []delivery
	ids        strings.Builder
}

// room is for a chunk in which there are few events that are several deliveries.
func (l *lane) room(c *chunk) *room {
	n, size := 0, 0
	for i := range c.results {
		for _, o := range c.results[i].outs {
			if o.sink == l.sink.Address {
				n++
				size += len(o.event.ID) + 1 + len(l.tag)
				break
			}
		}
	}
	r := &room{items: make([]item, n), deliveries: make([]delivery, n)}
	r.ids.Grow(size)
	return r
}

func (r *room) item() *item {
	if len(r.items) == 0 {
		return new(item)
	}
	it := &r.items[0]
	r.items = r.items[1:]
	return it
}

func (r *room) delivery() *delivery {
	if len(r.deliveries) == 0 {
		return new(delivery)
	}
	d := &r.deliveries[0]
	r.deliveries = r.deliveries[1:]
	return d
}

// id is l.deliveryID(e).
func (r *room) id(l *lane, e *component.Event) string {
	if e.Path != "" || r.ids.Cap()-r.ids.Len() < len(e.ID)+1+len(l.tag) {
		return l.deliveryID(e)
	}
	from := r.ids.Len()
	r.ids.WriteString(e.ID)
	r.ids.WriteByte('-')
	r.ids.WriteString(l.tag)
	return r.ids.String()[from:]
}
