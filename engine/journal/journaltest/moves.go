package journaltest

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

const newShop = "source.webhook.new_shop"

// reload configures flows after moves.
func (b *bench) reload(moved []journal.Move, flows ...journal.Flow) ([]journal.Progress, error) {
	return b.Configure(b.Context(), journal.Topology{Flows: flows, Generation: 2, Moved: moved})
}

func (b *bench) moved(moved []journal.Move, flows ...journal.Flow) []journal.Progress {
	b.Helper()
	p, err := b.reload(moved, flows...)
	b.ok(err)
	return p
}

// refusedMove asserts that the error has the words, and that nothing has changed.
func (b *bench) refusedMove(what string, moved []journal.Move, f journal.Flow, words ...string) {
	b.Helper()
	before, err := b.Stats(b.Context())
	b.ok(err)
	_, err = b.reload(moved, f)
	if err == nil {
		b.Fatalf("%s: it was moved", what)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			b.Errorf("%s: the error does not say %q: %v", what, w, err)
		}
	}
	after, err := b.Stats(b.Context())
	b.ok(err)
	b.equal(what+": stats", after, before)
}

func (b *bench) get(scope, key string) string {
	b.Helper()
	v, ok, err := b.Get(b.Context(), scope, key)
	b.ok(err)
	if !ok {
		return "none"
	}
	return string(v)
}

func (b *bench) statusesOf(flow, source string, p journal.Position) map[string]journal.Status {
	b.Helper()
	m, err := b.Statuses(b.Context(), flow, source, p)
	b.ok(err)
	return m
}

// lived gives the journal a past: four events, one of them a dead letter, one
// waiting for its retry, one not settled; a dead letter of the source; state.
func lived(b *bench) {
	b.Helper()
	b.configure(flow("orders", "crm"))
	list := records(1, 4)
	list[0].Dedupe = "first"
	_, err := b.Append(b.Context(), journal.Append{Source: shop, Records: list, DedupeWindow: 1000 * time.Hour,
		State: []component.Put{{Key: "cursor", Value: 4}}, Dead: []journal.Exception{{Key: journal.Key{Source: shop, Path: "x"}, Dead: true}}})
	b.ok(err)
	b.Refused(shop, 2)
	b.settle(steps, journal.Nothing, 1, 2, 3)
	s := settlement(crm, journal.Delivered, 1)
	s.Outcomes = append(s.Outcomes, settlement(crm, journal.Excepted, 2, 4).Outcomes...)
	s.Failed = []journal.Exception{exception(2, "/0", true), exception(4, "", false)}
	s.State = []component.Put{{Key: "length", Value: 120}}
	b.ok(b.Settle(b.Context(), s))
}

func moves(t *testing.T, h Harness) {
	b := open(t, h)
	lived(b)
	account := b.flowStats("orders")
	b.equal("before", account, sum(4, 1, 0, 1, 0, 2))
	waiting := b.exceptions(journal.ExceptionQuery{})
	events := b.all(shop, 0)

	f := journal.Flow{Name: "sales", Sources: []string{newShop}, Sinks: []string{"new_crm"}}
	lane := journal.Lane{Flow: "sales", Sink: "new_crm"}
	moved := []journal.Move{{From: "orders", To: "sales"}, {From: "crm", To: "new_crm"}, {From: shop, To: newShop}, {From: "never", To: "there"}}
	for n, restart := range []func(){func() {}, func() { b.reopen(true) }} {
		restart()
		p := b.moved(moved, f) // the second time nothing is left to move
		b.equal("crm", b.progressOf(p, lane, newShop), journal.Progress{Lane: lane, Source: newShop, Low: 2, Beyond: []journal.Position{4}})
		b.equal("steps", b.progressOf(p, journal.Lane{Flow: "sales"}, newShop).Low, journal.Position(3))
		account.Flow = "sales"
		b.equal("account", b.flowStats("sales"), account)
		b.equal("events", b.all(newShop, 0), events, same)
		s := b.sourceStats(newShop)
		b.equal("source", []int64{s.Accepted, s.Duplicates, s.Refused, s.Dead}, []int64{4, int64(n), 2, 1})
		b.equal("cursor", b.get(newShop, "cursor"), "4")
		b.equal("length", b.get("new_crm", "length"), "120")
		want := waiting
		for i := range want {
			want[i].Source = newShop
			if want[i].Lane.Flow != "" {
				want[i].Lane = lane
			}
		}
		b.equal("exceptions", b.exceptions(journal.ExceptionQuery{}), want)
		again := records(5, 1)
		again[0].Dedupe = "first"
		got, err := b.Append(t.Context(), journal.Append{Source: newShop, Records: again, DedupeWindow: time.Hour})
		b.ok(err)
		b.equal("a known id", got[0], component.Accepted{ID: events[0].ID.String(), Duplicate: true})
	}
	all, err := b.Stats(t.Context())
	b.ok(err)
	b.equal("sources, flows and lanes", []int{len(all.Sources), len(all.Flows), len(all.Lanes)}, []int{1, 1, 2})
	b.ok(b.Settle(t.Context(), journal.Settlement{Lane: lane, Resolved: []journal.Resolution{{Key: waiting[2].Key, Status: journal.Delivered}}}))
	b.equal("resolved", len(b.exceptions(journal.ExceptionQuery{})), 2)
	b.equal("its status", b.statusesOf("sales", newShop, 4), map[string]journal.Status{"new_crm": journal.Delivered})
}

// movesAreHeardOf shows that what reads, waits, appends or settles under an old
// name goes on.
func movesAreHeardOf(t *testing.T, h Harness) {
	b := open(t, h)
	b.configure(flow("orders", "crm"))
	wake, stop := b.Watch([]string{shop})
	defer stop()
	<-wake
	want := b.add(shop, 2)
	<-wake
	f := journal.Flow{Name: "sales", Sources: []string{newShop}, Sinks: []string{"new_crm"}}
	b.moved([]journal.Move{{From: "orders", To: "sales"}, {From: "crm", To: "new_crm"}, {From: shop, To: newShop}}, f)
	want = append(want, b.add(newShop, 1)...)
	synctest.Wait()
	select {
	case <-wake:
	default:
		t.Error("who watches the source under its old name does not hear of an event")
	}
	b.equal("events", b.all(newShop, 0), want, same)

	late := record(4)
	_, err := b.Append(t.Context(), journal.Append{Source: shop, Records: []journal.Record{late}, State: []component.Put{{Key: "late", Value: 1}}})
	b.ok(err)
	b.equal("an append that came late", b.all(newShop, 0), append(want, late), same)
	b.equal("its state", b.get(newShop, "late"), "1")
	b.equal("its state by the old name", b.get(shop, "late"), "1")
	s := settlement(crm, journal.Delivered, 1, 2)
	s.State = []component.Put{{Key: "length", Value: 7}}
	b.ok(b.Settle(t.Context(), s))
	b.equal("the sink's state", b.get("new_crm", "length"), "7")
	p, err := b.Progress(t.Context(), crm)
	b.ok(err)
	b.equal("progress", p, []journal.Progress{{Lane: journal.Lane{Flow: "sales", Sink: "new_crm"}, Source: newShop, Low: 2}})
	s = journal.Settlement{Lane: crm, Failed: []journal.Exception{exception(3, "", false)}}
	b.ok(b.Settle(t.Context(), s))
	waiting := b.exceptions(journal.ExceptionQuery{Lane: &crm, Key: &s.Failed[0].Key})
	b.equal("waiting", []any{len(waiting), waiting[0].Lane.Sink, waiting[0].Source}, []any{1, "new_crm", newShop})
	b.Refused(shop, 1)
	b.equal("refused", b.sourceStats(newShop).Refused, int64(1))
	if st, err := b.Stats(t.Context()); err != nil || len(st.Sources) != 1 {
		t.Errorf("sources: %+v, %v", st.Sources, err)
	}
	frames, err := b.Read(t.Context(), shop, 3, 1)
	b.ok(err)
	b.equal("read by the old name", []any{len(frames), frames[0].Source}, []any{1, newShop})

	b.configure(f, flow("orders", "crm")) // the old names are others' now
	b.add(shop, 1)
	b.equal("a new source of the old name", len(b.all(shop, 0)), 1)
	b.equal("the one that moved", b.sourceStats(newShop).Accepted, int64(4))
}

func movesInChains(t *testing.T, h Harness) {
	b := open(t, h)
	lived(b)
	moved := []journal.Move{{From: "sales", To: "trade"}, {From: "orders", To: "sales"}}
	b.moved(moved, flow("trade", "crm"))
	b.equal("along the chain", b.flowStats("trade").Accepted, int64(4))
	b.moved(moved, flow("trade", "crm"))
	b.moved([]journal.Move{{From: "trade", To: "orders"}}, flow("orders", "crm"))
	b.equal("and back", b.flowStats("orders").Accepted, int64(4))

	b.refusedMove("an exchange", []journal.Move{{From: "a", To: "b"}, {From: "b", To: "a"}}, flow("orders", "crm"), "circle", "b")
	b.refusedMove("a circle beside", []journal.Move{{From: "x", To: "a"}, {From: "a", To: "b"}, {From: "b", To: "a"}}, flow("orders", "crm"), "circle")
	b.refusedMove("to itself", []journal.Move{{From: "a", To: "a"}}, flow("orders", "crm"), "a moved to itself")
	b.refusedMove("to two", []journal.Move{{From: "a", To: "b"}, {From: "a", To: "c"}}, flow("orders", "crm"), "both b and c")
	b.refusedMove("what is still there", []journal.Move{{From: "orders", To: "sales"}}, flow("orders", "crm"), "orders", "still there")
	b.refusedMove("a source that is still there", []journal.Move{{From: shop, To: newShop}}, flow("orders", "crm"), shop, "still there")
}

// movesOntoOthers shows what happens when the new name is taken.
func movesOntoOthers(t *testing.T, h Harness) {
	b := open(t, h)
	lived(b)
	sales := journal.Flow{Name: "sales", Sources: []string{newShop}, Sinks: []string{"new_crm"}}
	b.configure(sales) // as if nobody had thought of the moved blocks
	b.Refused(newShop, 3)
	flowMove, sinkMove, sourceMove := journal.Move{From: "orders", To: "sales"}, journal.Move{From: "crm", To: "new_crm"}, journal.Move{From: shop, To: newShop}

	b.add(newShop, 1)
	b.refusedMove("a flow", []journal.Move{flowMove}, sales, "orders", "sales", "lane drop")
	b.refusedMove("a sink", []journal.Move{sinkMove}, sales, "crm", "new_crm", "lane drop")
	b.refusedMove("a source", []journal.Move{sourceMove}, sales, shop, newShop, "remove the moved block")
	b.refusedMove("one of three", []journal.Move{{From: "never", To: "there"}, flowMove, {From: "sales", To: "trade"}}, flow("trade", "crm"), "orders", "sales", "trade")

	b.ok(b.DropLane(t.Context(), crm))
	b.ok(b.DropLane(t.Context(), steps))
	b.moved([]journal.Move{flowMove, sinkMove}, sales)
	b.equal("what was dropped stays", b.flowStats("orders"), sum(4, 1, 0, 0, 3, 0))
	b.equal("what took its place goes on", b.flowStats("sales").Accepted, int64(1))
}

func movesOntoUnused(t *testing.T, h Harness) {
	b := open(t, h)
	lived(b)
	sales := journal.Flow{Name: "sales", Sources: []string{newShop, "source.webhook.b"}, Sinks: []string{"new_crm"}}
	b.configure(sales)
	b.Refused(newShop, 3)
	b.reopen(false)
	sales.Sources = sales.Sources[:1]
	b.moved([]journal.Move{{From: "orders", To: "sales"}, {From: "crm", To: "new_crm"}, {From: shop, To: newShop}}, sales)
	lane := journal.Lane{Flow: "sales", Sink: "new_crm"}
	for range 2 {
		want := sum(4, 1, 0, 1, 0, 2)
		want.Flow = "sales"
		b.equal("account", b.flowStats("sales"), want)
		b.equal("refused", b.sourceStats(newShop).Refused, int64(5))
		b.equal("state", b.get("new_crm", "length"), "120")
		p, err := b.Progress(t.Context(), lane)
		b.ok(err)
		b.equal("progress", p, []journal.Progress{{Lane: lane, Source: newShop, Low: 2, Beyond: []journal.Position{4}}})
		b.reopen(true)
		b.moved(nil, sales)
	}
}
