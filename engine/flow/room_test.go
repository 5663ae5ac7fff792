package flow

import (
	"testing"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// TestRoomOfAChunk asks a room for more than it was made for: what it gives is the
// same, and nothing is given twice.
func TestRoomOfAChunk(t *testing.T) {
	l := &lane{sink: &Sink{Address: "sink.log.a"}, tag: laneTag(journal.Lane{Flow: "f", Sink: "s"})}
	to := func(id, path string) output {
		return output{l.sink.Address, &component.Event{ID: id, Path: path}}
	}
	one, two, three := to("1", ""), to("2", "/0"), to("2", "/1")
	r := l.room(&chunk{results: []result{{outs: []output{one}}, {}, {outs: []output{two, three, {sink: "sink.log.b"}}}}})
	if len(r.items) != 2 || len(r.deliveries) != 2 {
		t.Fatalf("room for %d items and %d deliveries", len(r.items), len(r.deliveries))
	}
	ids, items, deliveries := map[string]bool{}, map[*item]bool{}, map[*delivery]bool{}
	for _, o := range []output{one, two, three, to("4", ""), to("5", "")} {
		id := r.id(l, o.event)
		if want := l.deliveryID(o.event); id != want {
			t.Errorf("id %q, want %q", id, want)
		}
		ids[id], items[r.item()], deliveries[r.delivery()] = true, true, true
	}
	if len(ids) != 5 || len(items) != 5 || len(deliveries) != 5 {
		t.Errorf("%d ids, %d items, %d deliveries of 5", len(ids), len(items), len(deliveries))
	}
}
