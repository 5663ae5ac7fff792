package bench

import (
	"slices"
	"testing"
	"time"
)

// What measures is itself looked at: orders have their size, references take
// them, and the one that forwards brings each to the sink once, mapped.
func TestOrders(t *testing.T) {
	for i, o := range orders() {
		if len(o.body) != orderSize {
			t.Errorf("order %d has %d bytes, want %d", i, len(o.body), orderSize)
		}
		body := slices.Clone(o.body)
		number(body, i)
		if out, err := mapOrder(body); err != nil || !right(out, i) {
			t.Errorf("order %d becomes %s, %v", i, out, err)
		}
	}
}

func TestReferences(t *testing.T) {
	const count = 300
	for name, delivered := range map[string]int{"check": 0, "journal": count} {
		t.Run(name, func(t *testing.T) {
			s := newSink(t, count)
			defer s.close()
			p := startReference(t, name, s.addr())
			defer p.stop(t)
			p.await(t, 0, p.path)
			a := load{addr: p.addr, path: p.path, conns: 4, first: 1, count: count - 1}.run(t)
			if a.accepted != count-1 || a.refused != 0 || a.next != count || len(a.latency) != count-1 {
				t.Errorf("accepted %d, refused %d, next %d, %d latencies; want %d, 0, %d, %[1]d", a.accepted, a.refused, a.next, len(a.latency), count-1, count)
			}
			s.await(t, delivered, 10*time.Second)
			if got := s.orders.Load(); got != int64(delivered) || s.repeats.Load() != 0 {
				t.Errorf("the sink has %d orders and %d repeats, want %d and 0", got, s.repeats.Load(), delivered)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	s := newSink(t, 10)
	defer s.close()
	s.refusing.Store(true)
	a := load{addr: s.addr(), path: "/", conns: 2, count: 10}.run(t)
	if a.accepted != 0 || a.refused != 10 || s.orders.Load() != 0 {
		t.Errorf("accepted %d, refused %d, counted %d; want 0, 10, 0", a.accepted, a.refused, s.orders.Load())
	}
}
