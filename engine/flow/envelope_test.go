package flow

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// families is a sink that looks at the parents of what it gets, and may refuse.
type families struct {
	mu     sync.Mutex
	refuse bool
	wrong  int
	got    map[int64]int // by body, how often
	want   *component.Event
}

func (f *families) Deliver(_ context.Context, ds []component.Delivery) component.Result {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := ds[0].Event
	if !cmp.Equal(f.want.Parent, e.Parent) || !cmp.Equal(f.want.Meta["mail"], e.Meta["mail"]) || e.Meta["row"] != e.Body {
		f.wrong++
	}
	if f.refuse {
		return component.AllFailed(1, component.Permanent(errors.New("422")))
	}
	f.got[e.Body.(int64)]++
	return component.Result{}
}

// The children of a large event die, are handed on, and are retried, also after a restart.
// What they have in common is in the journal once, not once for each of them.
func TestChildrenOfALargeEvent(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const children, size = 1000, 256 << 10
		g := newRig(t)
		parent := []any{strings.Repeat("x", size)}
		mail := map[string]any{"kind": "normal", "subject": strings.Repeat("s", size/8)}
		family := Apply{"split", stepFunc(func(e *component.Event) ([]*component.Event, error) {
			split := e.With(parent)
			split.Kept = nil
			var all []*component.Event
			for n := range int64(children) {
				c := split.Child(int(n), n)
				c.Meta = map[string]any{"mail": mail, "row": n}
				all = append(all, c)
			}
			return all, nil
		})}
		want := &component.Event{Parent: parent, Meta: map[string]any{"mail": mail}}
		s := &families{refuse: true, got: map[int64]int{}, want: want}
		alarm := &families{got: map[int64]int{}, want: want}
		g.flow("f", family, send(g.sink("a", s))).telling(send(g.sink("alarm", alarm)))
		g.run()
		g.accept("a mail")
		settle(time.Minute)
		dead := g.exceptions(journal.ExceptionQuery{DeadOnly: true})
		if len(dead) != children || len(alarm.got) != children {
			t.Fatalf("%d dead letters, %d handed on", len(dead), len(alarm.got))
		}
		for i := range dead {
			if dead[i].Shared != dead[0].Shared {
				t.Fatal("what dead letters share is read more than once")
			}
		}
		if n := g.stats().Bytes; n > 32*size {
			t.Errorf("the journal has %d bytes for %d children of %d", n, children, size)
		}
		seventh := slices.IndexFunc(dead, func(ex journal.Exception) bool { return ex.Path == "/7" })
		body, meta, err := Show(&dead[seventh])
		if err != nil || string(body) != "7" || !strings.HasPrefix(string(meta), `{"mail":{"kind":"normal"`) || !strings.HasSuffix(string(meta), `"row":7}`) {
			t.Errorf("shown as %s, %.40s, %v", body, meta, err)
		}
		g.retry(dead[0])
		settle(time.Minute)
		g.restart()
		s.mu.Lock()
		s.refuse = false
		s.mu.Unlock()
		for _, ex := range dead {
			g.retry(ex)
		}
		settle(time.Minute)
		for n := range int64(children) {
			if s.got[n] != 1 {
				t.Errorf("child %d was delivered %d times", n, s.got[n])
			}
		}
		if s.wrong+alarm.wrong > 0 {
			t.Errorf("%d had another parent or meta", s.wrong+alarm.wrong)
		}
		g.wantFlow(journal.FlowStats{Flow: "flow.f", Accepted: 1, Delivered: 1})
	})
}
