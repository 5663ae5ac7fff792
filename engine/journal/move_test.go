package journal_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// TestMoveWithinOneTransaction has a source move in the transaction that stores
// some of its events, so that they become known under the new name alone.
func TestMoveWithinOneTransaction(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		hold, held := make(chan bool), false
		j := openIn(t, dir, journal.Options{Hooks: journal.Hooks{BeforeCommit: func() error {
			if held {
				<-hold
			}
			return nil
		}}})
		if _, err := j.Configure(t.Context(), shopFlow("crm")); err != nil {
			t.Fatal(err)
		}
		held = true
		var wg sync.WaitGroup
		next := func(do func() error) {
			wg.Go(func() {
				if err := do(); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		next(func() error { return appendOne(j, "alone") })
		next(func() error { return appendOne(j, "before") })
		next(func() error {
			_, err := j.Configure(t.Context(), journal.Topology{Moved: []journal.Move{{From: "shop", To: "store"}},
				Flows: []journal.Flow{{Name: "orders", Sources: []string{"store"}, Sinks: []string{"crm"}}}})
			return err
		})
		next(func() error { return appendOne(j, "late") })
		next(func() error { return settleOne(j, 2) })
		close(hold)
		wg.Wait()
		for _, name := range []string{"shop", "store"} {
			frames, err := j.Read(t.Context(), name, 0, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range frames {
				for i, e := range f.Events {
					got = append(got, fmt.Sprint(f.Source, " ", int(f.First)+i, " ", string(e.Payload.Raw)))
				}
			}
			if d := cmp.Diff([]string{"store 1 alone", "store 2 before", "store 3 late"}, got); d != "" {
				t.Errorf("events of %s: %s", name, d)
			}
		}
		held = false
		p, err := j.Progress(t.Context(), journal.Lane{Flow: "orders", Sink: "crm"})
		if want := []journal.Progress{{Lane: journal.Lane{Flow: "orders", Sink: "crm"}, Source: "store", Beyond: []journal.Position{2}}}; err != nil || !cmp.Equal(p, want) {
			t.Errorf("progress: %+v, %v", p, err)
		}
	})
}

// TestMovedGate moves a source away while its flow is too far behind: whoever
// takes the old name is not held up.
func TestMovedGate(t *testing.T) {
	j := openIn(t, t.TempDir(), journal.Options{})
	topology := func(source string, flows ...journal.Flow) journal.Topology {
		return journal.Topology{Flows: append(flows, journal.Flow{Name: "orders", Sources: []string{source}, Sinks: []string{"crm"}, Backlog: 1000})}
	}
	configure := func(top journal.Topology) {
		t.Helper()
		if _, err := j.Configure(t.Context(), top); err != nil {
			t.Fatal(err)
		}
	}
	configure(topology("shop"))
	if err := appendOne(j, strings.Repeat("x", 2000)); err != nil {
		t.Fatal(err)
	}
	later(t, appendOne(j, "x"), "orders")
	moved := topology("store")
	moved.Moved = []journal.Move{{From: "shop", To: "store"}}
	configure(moved)
	later(t, appendOne(j, "x"), "orders") // it is the same by another name
	configure(topology("store", journal.Flow{Name: "other", Sources: []string{"shop"}, Sinks: []string{"crm"}}))
	if err := appendOne(j, "x"); err != nil {
		t.Errorf("a new source that has the old name: %v", err)
	}
}

// reloaded is a topology that changes everything that one can.
func reloaded() journal.Topology {
	return journal.Topology{
		Generation: 2, Record: &journal.Generation{Origin: "reload", Files: []journal.ConfigFile{{Name: "a.hcl", Text: "# 2"}}},
		Flows: []journal.Flow{{Name: "sales", Sources: []string{"store", "other"}, Sinks: []string{"erp", "new"}}},
		Moved: []journal.Move{{From: "shop", To: "store"}, {From: "orders", To: "sales"}, {From: "crm", To: "erp"}},
		Reset: []string{"store"},
	}
}

// view is what can be seen of the journal, as text.
func view(t *testing.T, j journal.Journal) string {
	t.Helper()
	s, err := j.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.Bytes = 0
	list, err := j.Generations(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	origins, err := j.Origins(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%+v\n%+v\n%v", s, list, origins)
	for _, scope := range []string{"shop", "store", "crm", "erp"} {
		v, _, err := j.Get(t.Context(), scope, "key")
		if err != nil {
			t.Fatal(err)
		}
		frames, err := j.Read(t.Context(), scope, 0, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprintf("\n%s: %s, %d frames", scope, v, len(frames))
	}
	return text
}

// prepared has a generation 1 with something of everything.
func prepared(t *testing.T, j journal.Journal) {
	t.Helper()
	first := shopFlow("crm")
	first.Generation, first.Record = 1, &journal.Generation{Origin: "start", Files: []journal.ConfigFile{{Name: "a.hcl", Text: "# 1"}}}
	if _, err := j.Configure(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	_, err := j.Append(t.Context(), journal.Append{Source: "shop", State: []component.Put{{Key: "key", Value: 1}},
		Records: []journal.Record{{ID: journal.NewID(now), Time: now, Payload: journal.Payload{Raw: []byte("a")}}}})
	if err != nil {
		t.Fatal(err)
	}
	err = j.Settle(t.Context(), journal.Settlement{Lane: journal.Lane{Flow: "orders", Sink: "crm"}, State: []component.Put{{Key: "key", Value: 2}},
		Failed: []journal.Exception{{Key: journal.Key{Source: "shop", Position: 1}, Dead: true}}})
	if err != nil {
		t.Fatal(err)
	}
}

// TestConfigureIsWholeOrNothing fails, and kills, a Configure that changes everything.
func TestConfigureIsWholeOrNothing(t *testing.T) {
	dir, fail, kill := t.TempDir(), false, false
	hook := func(on *bool) func() error {
		return func() error {
			if *on {
				return errFault
			}
			return nil
		}
	}
	o := journal.Options{Retention: time.Hour, Hooks: journal.Hooks{BeforeCommit: hook(&fail), AfterCommit: hook(&kill)}}
	j := openIn(t, dir, o)
	prepared(t, j)
	before := view(t, j)
	fail = true
	for range 2 {
		if _, err := j.Configure(t.Context(), reloaded()); err == nil {
			t.Fatal("the fault was not met")
		}
	}
	if d := cmp.Diff(before, view(t, j)); d != "" {
		t.Errorf("a Configure that failed has left something:\n%s", d)
	}
	fail = false
	if err := appendOne(j, "goes on"); err != nil {
		t.Fatal(err)
	}
	kill = true
	if _, err := j.Configure(t.Context(), reloaded()); err == nil {
		t.Fatal("the journal was not killed")
	}
	j.Abandon()
	kill = false
	j = openIn(t, dir, o)
	after := view(t, j)
	for _, want := range []string{"{Source:store Accepted:2", "{Flow:sales Accepted:2", "{Lane:{Flow:sales Sink:erp}", "{Lane:{Flow:sales Sink:new}",
		"erp:crm new:new sales:orders", "{Number:2 ", "\nshop: , 0", "\nstore: , 2", "\ncrm: , 0", "\nerp: 2, 0"} {
		if !strings.Contains(after, want) {
			t.Errorf("after the kill there is no %q in\n%s", want, after)
		}
	}
	if _, err := j.Configure(t.Context(), reloaded()); err == nil || !strings.Contains(err.Error(), "on record") {
		t.Errorf("the same once more: %v", err)
	}
}

func TestNextOrigins(t *testing.T) {
	move := func(from, to string) journal.Move { return journal.Move{From: from, To: to} }
	for what, c := range map[string]struct {
		known map[string]string
		moved []journal.Move
		names []string
		want  string
	}{
		"nothing known":     {names: []string{"a", "b"}, want: "a=a b=b"},
		"known":             {known: map[string]string{"a": "x"}, names: []string{"a"}, want: "a=x"},
		"moved":             {known: map[string]string{"a": "x"}, moved: []journal.Move{move("a", "b")}, names: []string{"b"}, want: "b=x"},
		"moved long ago":    {known: map[string]string{"b": "a"}, moved: []journal.Move{move("a", "b")}, names: []string{"b"}, want: "b=a"},
		"moved in a chain":  {known: map[string]string{"a": "x"}, moved: []journal.Move{move("b", "c"), move("a", "b")}, names: []string{"c"}, want: "c=x"},
		"a name left":       {known: map[string]string{"a": "a"}, moved: []journal.Move{move("a", "b")}, names: []string{"b", "a"}, want: "a=a#2 b=a"},
		"a name left twice": {known: map[string]string{"b": "a", "c": "a#2"}, names: []string{"a", "b", "c"}, want: "a=a#3 b=a c=a#2"},
		"of one that went":  {known: map[string]string{"gone": "a"}, names: []string{"a"}, want: "a=a#2"},
		"in a circle":       {known: map[string]string{"a": "x"}, moved: []journal.Move{move("a", "b"), move("b", "a")}, names: []string{"a", "b"}, want: "a=x b=b"},
	} {
		before := maps.Clone(c.known)
		next := journal.NextOrigins(c.known, c.moved, c.names)
		var got []string
		for _, n := range slices.Sorted(maps.Keys(next)) {
			got = append(got, n+"="+next[n])
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: %s, want %s", what, s, c.want)
		}
		if !maps.Equal(before, c.known) {
			t.Errorf("%s: what is known was changed", what)
		}
	}
}
