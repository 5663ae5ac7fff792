package journaltest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/syncd/syncd/engine/journal"
)

var (
	steps = journal.Lane{Flow: "orders"}
	crm   = journal.Lane{Flow: "orders", Sink: "crm"}
	erp   = journal.Lane{Flow: "orders", Sink: "erp"}
)

// sum is a flow's account in short.
func sum(accepted, delivered, filtered, dead, dropped, pending int64) journal.FlowStats {
	return journal.FlowStats{Flow: "orders", Accepted: accepted, Delivered: delivered, Filtered: filtered, Dead: dead, Dropped: dropped, Pending: pending}
}

func settleInOrder(t *testing.T, h Harness) {
	b := open(t, h)
	p := b.configure(flow("orders", "crm", "erp"))
	b.equal("progress at first", p, []journal.Progress{{Lane: steps, Source: shop}, {Lane: crm, Source: shop}, {Lane: erp, Source: shop}})
	b.add(shop, 6)
	b.settle(steps, journal.Nothing, upTo(6)...)
	b.settle(crm, journal.Delivered, upTo(4)...)
	b.settle(erp, journal.Nothing, 1, 2, 3)
	b.equal("account", b.flowStats("orders"), sum(6, 3, 0, 0, 0, 3))
	b.reopen(true)
	p = b.configure(flow("orders", "crm", "erp"))
	b.equal("progress", p, []journal.Progress{{Lane: steps, Source: shop, Low: 6}, {Lane: crm, Source: shop, Low: 4}, {Lane: erp, Source: shop, Low: 3}})
	b.settle(crm, journal.Nothing, 5, 6)
	b.settle(erp, journal.Nothing, 4, 5, 6)
	b.equal("account", b.flowStats("orders"), sum(6, 4, 2, 0, 0, 0))
	s, _ := b.laneStats(crm)
	b.equal("lane", s, journal.LaneStats{Lane: crm, Active: true})
}

func settleOutOfOrder(t *testing.T, h Harness) {
	b := open(t, h)
	b.configure(flow("orders", "crm"))
	_, err := b.Append(t.Context(), journal.Append{Source: shop, Records: records(1, 10)})
	b.ok(err)
	b.add(shop, 10)
	b.settle(steps, journal.Nothing, 2, 3, 14)
	b.settle(crm, journal.Delivered, 1, 5, 9)
	b.settle(crm, journal.Delivered, 12, 20)
	for _, kill := range []bool{false, true} {
		b.reopen(kill)
		p := b.configure(flow("orders", "crm"))
		b.equal("steps", b.progressOf(p, steps, shop), journal.Progress{Lane: steps, Source: shop, Beyond: []journal.Position{2, 3, 14}})
		b.equal("crm", b.progressOf(p, crm, shop), journal.Progress{Lane: crm, Source: shop, Low: 1, Beyond: []journal.Position{5, 9, 12, 20}})
		b.equal("account", b.flowStats("orders"), sum(20, 0, 0, 0, 0, 20))
	}
	s, _ := b.laneStats(crm)
	b.equal("backlog", s.Backlog, int64(15))
	b.settle(crm, journal.Delivered, 2, 3, 4, 6, 7, 8, 10, 11)
	b.settle(steps, journal.Nothing, 1)
	p := b.configure(flow("orders", "crm"))
	b.equal("crm", b.progressOf(p, crm, shop), journal.Progress{Lane: crm, Source: shop, Low: 12, Beyond: []journal.Position{20}})
	b.equal("steps", b.progressOf(p, steps, shop), journal.Progress{Lane: steps, Source: shop, Low: 3, Beyond: []journal.Position{14}})
	b.equal("account", b.flowStats("orders"), sum(20, 3, 0, 0, 0, 17))
}

func settleUnknown(t *testing.T, h Harness) {
	b := open(t, h)
	b.configure(flow("orders", "crm"))
	b.add(shop, 2)
	for what, s := range map[string]journal.Settlement{
		"a lane":        settlement(erp, journal.Delivered, 1),
		"a flow":        settlement(journal.Lane{Flow: "none", Sink: "crm"}, journal.Delivered, 1),
		"an event":      settlement(crm, journal.Delivered, 1, 3),
		"event 0":       settlement(crm, journal.Delivered, 0),
		"a status":      settlement(crm, 0, 1),
		"a source":      {Lane: crm, Outcomes: []journal.Outcome{{Source: "source.none", Position: 1, Status: journal.Delivered}}},
		"a resolution":  {Lane: crm, Resolved: []journal.Resolution{{Key: journal.Key{Source: shop, Position: 1}, Status: journal.Excepted}}},
		"a late failed": {Lane: crm, Failed: []journal.Exception{exception(3, "", false)}},
	} {
		if err := b.Settle(t.Context(), s); err == nil {
			t.Errorf("%s that is not there was settled", what)
		}
	}
	b.equal("account", b.flowStats("orders"), sum(2, 0, 0, 0, 0, 2))
}

func startOfFlow(t *testing.T, h Harness) {
	b := open(t, h)
	b.add(shop, 3)
	time.Sleep(time.Hour)
	since := time.Now()
	b.add(shop, 4)
	now, oldest, back := flow("now", "crm"), flow("oldest", "crm"), flow("back", "crm")
	oldest.Oldest, back.Since = true, since
	p := b.configure(now, oldest, back)
	for name, want := range map[string]journal.Position{"now": 7, "oldest": 0, "back": 3} {
		b.equal(name, b.progressOf(p, journal.Lane{Flow: name, Sink: "crm"}, shop).Low, want)
		b.equal(name+" steps", b.progressOf(p, journal.Lane{Flow: name}, shop).Low, want)
		b.equal(name+" account", b.flowStats(name).Pending, 7-int64(want))
	}
	b.reopen(false)
	now.Oldest = true
	p = b.configure(now)
	b.equal("a known flow", b.progressOf(p, journal.Lane{Flow: "now", Sink: "crm"}, shop).Low, journal.Position(7))
	b.add("source.webhook.b", 2)
	now.Sources = append(now.Sources, "source.webhook.b")
	p = b.configure(now)
	b.equal("a new source", b.progressOf(p, journal.Lane{Flow: "now", Sink: "crm"}, "source.webhook.b").Low, journal.Position(0))
	b.equal("account", b.flowStats("now").Accepted, int64(2))
}

func newSink(t *testing.T, h Harness) {
	b := open(t, h)
	b.configure(flow("orders", "crm"))
	b.add(shop, 4)
	b.settle(steps, journal.Nothing, 1, 2)
	f := flow("orders", "crm", "erp")
	f.Oldest = true
	p := b.configure(f)
	b.equal("erp", b.progressOf(p, erp, shop), journal.Progress{Lane: erp, Source: shop, Low: 4})
	b.settle(steps, journal.Nothing, 3, 4)
	b.settle(crm, journal.Delivered, upTo(4)...)
	b.equal("the new lane owes nothing of before", b.flowStats("orders"), sum(4, 4, 0, 0, 0, 0))
	b.add(shop, 1)
	b.settle(steps, journal.Nothing, 5)
	b.settle(crm, journal.Nothing, 5)
	b.equal("but of what comes", b.flowStats("orders"), sum(5, 4, 0, 0, 0, 1))
	b.settle(erp, journal.Delivered, 5)
	b.equal("delivered by one", b.flowStats("orders"), sum(5, 5, 0, 0, 0, 0))
	b.equal("statuses", b.statuses("orders", 4), map[string]journal.Status{"": journal.Nothing, "crm": journal.Delivered})
}

func orphans(t *testing.T, h Harness) {
	b := open(t, h)
	b.configure(flow("orders", "crm", "erp"))
	b.add(shop, 3)
	b.settle(erp, journal.Delivered, 1)
	b.configure(flow("orders", "crm"))
	b.settle(steps, journal.Nothing, upTo(3)...)
	b.settle(crm, journal.Delivered, upTo(3)...)
	b.equal("an orphan pends", b.flowStats("orders"), sum(3, 1, 0, 0, 0, 2))
	s, ok := b.laneStats(erp)
	b.equal("orphan", []any{ok, s.Active, s.Backlog}, []any{true, false, int64(2)})
	b.configure()
	b.add(shop, 2)
	b.equal("unrouted", b.sourceStats(shop).Unrouted, int64(2))
	b.reopen(true)
	p := b.configure(flow("orders", "crm", "erp"))
	b.equal("place kept", b.progressOf(p, erp, shop).Low, journal.Position(1))
	b.equal("place kept", b.progressOf(p, crm, shop).Low, journal.Position(3))
	s, _ = b.laneStats(erp)
	b.equal("adopted", []any{s.Active, s.Backlog}, []any{true, int64(4)})
}

func statuses(t *testing.T, h Harness) {
	b := open(t, h)
	b.configure(flow("orders", "crm", "erp"))
	b.add(shop, 4)
	b.equal("nothing settled", len(b.statuses("orders", 1)), 0)
	b.settle(steps, journal.Nothing, 1, 3)
	b.settle(crm, journal.Delivered, 1, 2)
	b.equal("event 1", b.statuses("orders", 1), map[string]journal.Status{"": journal.Nothing, "crm": journal.Delivered})
	b.equal("event 2", b.statuses("orders", 2), map[string]journal.Status{"crm": journal.Delivered})
	b.equal("event 3", b.statuses("orders", 3), map[string]journal.Status{"": journal.Nothing})
	b.equal("no event", len(b.statuses("orders", 9)), 0)
	b.equal("no flow", len(b.statuses("none", 1)), 0)
}

func settlingAgain(t *testing.T, h Harness) {
	b := open(t, h)
	b.configure(flow("orders", "crm"))
	b.add(shop, 3)
	b.settle(crm, journal.Nothing, upTo(3)...)
	s := settlement(steps, journal.Nothing, upTo(3)...)
	s.Failed = []journal.Exception{exception(2, "", true)}
	b.ok(b.Settle(t.Context(), s))
	b.equal("died in a step", b.flowStats("orders"), sum(3, 0, 2, 1, 0, 0))
	b.settle(crm, journal.Delivered, 2)
	b.ok(b.Settle(t.Context(), journal.Settlement{Lane: steps, Resolved: []journal.Resolution{{Key: s.Failed[0].Key, Status: journal.Nothing}}}))
	b.equal("ran again", b.flowStats("orders"), sum(3, 1, 2, 0, 0, 0))
	b.settle(crm, journal.Delivered, 1)
	b.equal("added to another", b.flowStats("orders"), sum(3, 2, 1, 0, 0, 0))
	b.equal("its status", b.statuses("orders", 1)["crm"], journal.Nothing|journal.Delivered)
}

func dropLane(t *testing.T, h Harness) {
	b := open(t, h)
	b.configure(flow("orders", "crm", "erp"))
	b.add(shop, 5)
	b.settle(steps, journal.Nothing, upTo(5)...)
	b.settle(crm, journal.Delivered, upTo(5)...)
	s := settlement(erp, journal.Delivered, 1, 4)
	s.Failed = []journal.Exception{exception(1, "/0", true), exception(3, "", false)}
	b.ok(b.Settle(t.Context(), s))
	for l, want := range map[journal.Lane]error{erp: journal.ErrInUse, steps: journal.ErrInUse, {Flow: "orders", Sink: "none"}: journal.ErrNotFound} {
		if err := b.DropLane(t.Context(), l); !errors.Is(err, want) {
			t.Errorf("drop lane %v: %v, want %v", l, err, want)
		}
	}
	b.configure(flow("orders", "crm"))
	b.equal("before", b.flowStats("orders"), sum(5, 1, 0, 1, 0, 3))
	b.ok(b.DropLane(t.Context(), erp))
	b.equal("after", b.flowStats("orders"), sum(5, 1, 0, 0, 4, 0))
	b.equal("exceptions", len(b.exceptions(journal.ExceptionQuery{})), 0)
	if _, ok := b.laneStats(erp); ok {
		t.Error("the lane is still listed")
	}
	if err := b.DropLane(t.Context(), erp); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("dropped twice: %v", err)
	}
	b.reopen(true)
	p := b.configure(flow("orders", "crm", "erp"))
	b.equal("a lane of that name", b.progressOf(p, erp, shop), journal.Progress{Lane: erp, Source: shop, Low: 5})
	b.equal("after all", b.flowStats("orders"), sum(5, 1, 0, 0, 4, 0))
	b.configure()
	for _, l := range []journal.Lane{steps, crm, erp} {
		b.ok(b.DropLane(t.Context(), l))
	}
	b.add(shop, 2)
	b.equal("of a flow that has gone", b.flowStats("orders"), sum(5, 1, 0, 0, 4, 0))
	b.configure(flow("orders", "crm"))
	b.add(shop, 1)
	b.equal("and is back", b.flowStats("orders"), sum(6, 1, 0, 0, 4, 1))
}

func dropLaneOfSource(t *testing.T, h Harness) {
	b := open(t, h)
	two := flow("orders", "crm")
	two.Sources = append(two.Sources, "source.webhook.b")
	b.configure(two)
	b.add(shop, 2)
	b.add("source.webhook.b", 3)
	b.configure(flow("orders", "crm"))
	b.equal("pending", b.flowStats("orders").Pending, int64(5))
	b.ok(b.DropLane(t.Context(), crm))
	b.ok(b.DropLane(t.Context(), steps))
	b.equal("dropped", b.flowStats("orders"), sum(5, 0, 0, 0, 3, 2))
	if err := b.DropLane(t.Context(), crm); !errors.Is(err, journal.ErrInUse) {
		t.Errorf("the rest of the lane: %v, want ErrInUse", err)
	}
}

// exceptionFields are those that a case sets; the journal gives the ID and the lane.
var exceptionFields = cmpopts.IgnoreFields(journal.Exception{}, "ID", "Lane")

func exceptions(t *testing.T, h Harness) {
	b := open(t, h)
	b.configure(flow("orders", "crm"))
	b.add(shop, 3)
	b.settle(steps, journal.Nothing, upTo(3)...)
	e := exception(2, "/0", false)
	s := settlement(crm, journal.Delivered, 1, 3)
	s.Outcomes = append(s.Outcomes, journal.Outcome{Source: shop, Position: 2, Status: journal.Excepted, Attempts: 1})
	s.Failed = []journal.Exception{e}
	b.ok(b.Settle(t.Context(), s))
	b.equal("waiting", b.flowStats("orders"), sum(3, 2, 0, 0, 0, 1))
	l, _ := b.laneStats(crm)
	b.equal("lane", l, journal.LaneStats{Lane: crm, Active: true, Waiting: 1})
	b.equal("status", b.statuses("orders", 2)["crm"], journal.Excepted)
	first := b.exceptions(journal.ExceptionQuery{})[0]
	b.equal("as stored", first, e, exceptionFields)
	b.equal("its lane", first.Lane, crm)

	e.Attempts, e.Dead = 2, true
	e.Errors = append(e.Errors, journal.Failure{Time: e.Since, Error: "gone"})
	b.ok(b.Settle(t.Context(), journal.Settlement{Lane: crm, Failed: []journal.Exception{e}}))
	b.reopen(true)
	b.configure(flow("orders", "crm"))
	second := b.exceptions(journal.ExceptionQuery{})
	b.equal("replaced", len(second), 1)
	b.equal("as replaced", second[0], e, exceptionFields)
	b.equal("the same ID", second[0].ID, first.ID)
	b.equal("dead", b.flowStats("orders"), sum(3, 2, 0, 1, 0, 0))

	b.ok(b.Settle(t.Context(), journal.Settlement{Lane: crm, Resolved: []journal.Resolution{{Key: e.Key, Status: journal.Delivered, Attempts: 1}}}))
	b.equal("resolved", b.flowStats("orders"), sum(3, 3, 0, 0, 0, 0))
	b.equal("gone", len(b.exceptions(journal.ExceptionQuery{})), 0)
	b.equal("status", b.statuses("orders", 2)["crm"], journal.Delivered)
}

func exceptionFirst(t *testing.T, h Harness) {
	b := open(t, h)
	b.configure(flow("orders", "crm"))
	b.add(shop, 2)
	b.settle(steps, journal.Nothing, 1, 2)
	b.ok(b.Settle(t.Context(), journal.Settlement{Lane: crm, Failed: []journal.Exception{exception(1, "/0", true), exception(1, "/1", true), exception(2, "", true)}}))
	b.equal("no outcome yet", b.flowStats("orders"), sum(2, 0, 0, 0, 0, 2))
	b.reopen(true)
	p := b.configure(flow("orders", "crm"))
	b.equal("not settled", b.progressOf(p, crm, shop), journal.Progress{Lane: crm, Source: shop})
	list := b.exceptions(journal.ExceptionQuery{})
	_, err := b.Drop(t.Context(), list[0].ID)
	b.ok(err)
	_, err = b.Drop(t.Context(), list[2].ID)
	b.ok(err)
	b.equal("still not settled", b.flowStats("orders"), sum(2, 0, 0, 0, 0, 2))
	b.equal("no status", b.statuses("orders", 2), map[string]journal.Status{"": journal.Nothing})
	b.settle(crm, journal.Excepted, 2)
	b.settle(crm, journal.Delivered, 1)
	b.equal("settled", b.flowStats("orders"), sum(2, 0, 0, 1, 1, 0))
	b.equal("status 1", b.statuses("orders", 1)["crm"], journal.Delivered|journal.Dropped|journal.Excepted)
	b.equal("status 2", b.statuses("orders", 2)["crm"], journal.Dropped)
}

func failuresKept(t *testing.T, h Harness) {
	b := open(t, h)
	b.configure(flow("orders", "crm"))
	b.add(shop, 1)
	e := exception(1, "", false)
	e.Errors = nil
	for n := range 14 {
		e.Errors = append(e.Errors, journal.Failure{Time: time.Now().UTC(), Error: string(rune('a' + n))})
	}
	b.ok(b.Settle(t.Context(), journal.Settlement{Lane: crm, Failed: []journal.Exception{e}}))
	b.equal("the latest ten", b.exceptions(journal.ExceptionQuery{})[0].Errors, e.Errors[4:])
}

func listExceptions(t *testing.T, h Harness) {
	b := open(t, h)
	b.configure(flow("orders", "crm", "erp"))
	b.add(shop, 4)
	var failed []journal.Exception
	for p := journal.Position(1); p <= 4; p++ {
		failed = append(failed, exception(p, "", p%2 == 0))
	}
	b.ok(b.Settle(t.Context(), journal.Settlement{Lane: crm, Failed: failed}))
	b.ok(b.Settle(t.Context(), journal.Settlement{Lane: erp, Failed: failed[:2]}))
	_, err := b.Append(t.Context(), journal.Append{Source: shop, Dead: []journal.Exception{{Key: journal.Key{Source: shop}, Dead: true}}})
	b.ok(err)
	ids := func(q journal.ExceptionQuery) (list []int64) {
		for _, e := range b.exceptions(q) {
			list = append(list, e.ID)
		}
		return list
	}
	all := ids(journal.ExceptionQuery{})
	b.equal("all", len(all), 7)
	b.equal("of a lane", ids(journal.ExceptionQuery{Lane: &erp}), all[4:6])
	b.equal("of sources", ids(journal.ExceptionQuery{Lane: &journal.Lane{}}), all[6:])
	b.equal("dead", ids(journal.ExceptionQuery{DeadOnly: true}), []int64{all[1], all[3], all[5], all[6]})
	b.equal("alive", ids(journal.ExceptionQuery{AliveOnly: true}), []int64{all[0], all[2], all[4]})
	b.equal("a page", ids(journal.ExceptionQuery{After: all[1], Limit: 2}), all[2:4])
	b.equal("one", ids(journal.ExceptionQuery{ID: all[3]}), all[3:4])
	b.equal("of an event", ids(journal.ExceptionQuery{Key: &failed[1].Key}), []int64{all[1], all[5]})
}

func reviveAndDrop(t *testing.T, h Harness) {
	b := open(t, h)
	b.configure(flow("orders", "crm"))
	b.add(shop, 2)
	b.settle(steps, journal.Nothing, 1, 2)
	s := settlement(crm, journal.Excepted, 1, 2)
	s.Failed = []journal.Exception{exception(1, "", true), exception(2, "", true)}
	b.ok(b.Settle(t.Context(), s))
	id := b.exceptions(journal.ExceptionQuery{})[0].ID
	time.Sleep(time.Hour)
	e, err := b.Revive(t.Context(), id)
	b.ok(err)
	want := s.Failed[0]
	want.Dead, want.Since, want.Next = false, time.Now().UTC(), time.Now().UTC()
	b.equal("revived", e, want, exceptionFields)
	b.equal("stored", b.exceptions(journal.ExceptionQuery{ID: id})[0], e)
	b.equal("waits", b.flowStats("orders"), sum(2, 0, 0, 1, 0, 1))
	e, err = b.Drop(t.Context(), id)
	b.ok(err)
	b.equal("dropped", e.ID, id)
	b.equal("account", b.flowStats("orders"), sum(2, 0, 0, 1, 1, 0))
	b.equal("status", b.statuses("orders", 1)["crm"], journal.Dropped)
	if _, err := b.Drop(t.Context(), id); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("dropped twice: %v", err)
	}
	if _, err := b.Revive(t.Context(), id); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("revived after a drop: %v", err)
	}
}
