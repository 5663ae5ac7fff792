package journaltest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// generation makes one whose number is in one of its files.
func generation(n int64) *journal.Generation {
	return &journal.Generation{Number: n, Time: time.Now().UTC(), Origin: "reload", Digest: fmt.Sprint("digest", n), Files: []journal.ConfigFile{
		{Name: "z.hcl", Text: strings.Repeat("# the same in all generations\n", 1000)},
		{Name: "a.hcl", Text: fmt.Sprintf("# generation %d\n", n)},
		{Name: "empty.hcl"},
	}}
}

func generations(t *testing.T, h Harness) {
	b := open(t, h)
	configure := func(n int64) *journal.Generation {
		t.Helper()
		g := generation(n)
		_, err := b.Configure(t.Context(), journal.Topology{Flows: []journal.Flow{flow("orders", "crm")}, Generation: n, Record: g})
		b.ok(err)
		return g
	}
	first, second := configure(1), configure(2)
	bare := func(g journal.Generation) journal.Generation { g.Files = nil; return g }
	for range 2 {
		list, err := b.Generations(t.Context(), 0)
		b.ok(err)
		b.equal("list", list, []journal.Generation{bare(*second), bare(*first)})
		list, err = b.Generations(t.Context(), 1)
		b.ok(err)
		b.equal("the newest", list, []journal.Generation{bare(*second)})
		got, err := b.Generation(t.Context(), 1)
		b.ok(err)
		b.equal("the first", got, *first)
		b.reopen(true)
	}
	if _, err := b.Generation(t.Context(), 3); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("a generation that never was: %v, want ErrNotFound", err)
	}

	_, err := b.Configure(t.Context(), journal.Topology{Flows: []journal.Flow{flow("other", "crm")}, Generation: 2, Record: generation(2)})
	if err == nil {
		t.Error("a generation was stored over another")
	}
	if s, _ := b.Stats(t.Context()); len(s.Flows) != 1 {
		t.Errorf("something of it was done: %+v", s.Flows)
	}
	for n := int64(3); n <= 205; n++ {
		configure(n)
	}
	list, err := b.Generations(t.Context(), 0)
	b.ok(err)
	b.equal("kept", []int64{int64(len(list)), list[0].Number, list[len(list)-1].Number}, []int64{200, 205, 6})
	got, err := b.Generation(t.Context(), 6)
	b.ok(err)
	b.equal("the oldest", got.Files, generation(6).Files)
}

// generationFiles come, go, change, change back, change their names and places.
func generationFiles(t *testing.T, h Harness) {
	const count = 230 // more than are kept
	b := open(t, h)
	r := rand.New(rand.NewPCG(3, 9))
	var files []journal.ConfigFile
	want := map[int64][]journal.ConfigFile{}
	for n := int64(1); n <= count; n++ {
		for range r.IntN(3) {
			files = edited(r, files)
		}
		want[n] = slices.Clone(files)
		_, err := b.Configure(t.Context(), journal.Topology{Generation: n, Record: &journal.Generation{Number: n, Files: want[n]}})
		b.ok(err)
	}
	b.reopen(true)
	list, err := b.Generations(t.Context(), 0)
	b.ok(err)
	b.equal("kept", len(list), 200)
	for _, g := range list {
		got, err := b.Generation(t.Context(), g.Number)
		b.ok(err)
		b.equal(fmt.Sprint("files of ", g.Number), got.Files, want[g.Number])
	}
}

// edited is what files are after something has happened to one of them.
func edited(r *rand.Rand, files []journal.ConfigFile) []journal.ConfigFile {
	files = slices.Clone(files)
	f := journal.ConfigFile{Name: fmt.Sprintf("%c.hcl", 'a'+r.IntN(5)), Text: fmt.Sprint("# ", r.IntN(6))}
	at := r.IntN(len(files) + 1)
	switch what := r.IntN(3); {
	case at == len(files) || what == 0:
		return slices.Insert(files, at, f)
	case what == 1:
		return slices.Delete(files, at, at+1)
	}
	files[at] = f
	return files
}

func reset(t *testing.T, h Harness) {
	b := open(t, h)
	b.configure(flow("orders", "crm"))
	send := func(source string, id int) component.Accepted {
		t.Helper()
		r := record(id)
		r.Dedupe = fmt.Sprint(id)
		got, err := b.Append(t.Context(), journal.Append{Source: source, Records: []journal.Record{r}, DedupeWindow: 10000 * time.Hour,
			State: []component.Put{{Key: fmt.Sprint("row", id), Value: id}}})
		b.ok(err)
		return got[0]
	}
	const many = 1200
	for id := range many {
		send(shop, id)
	}
	send("source.webhook.b", 1)
	_, err := b.Configure(t.Context(), journal.Topology{Flows: []journal.Flow{flow("orders", "crm")}, Reset: []string{shop, "source.none"}})
	b.ok(err)
	for what, again := range map[string]func(){"at once": func() {}, "later": func() { time.Sleep(time.Minute); synctest.Wait() }, "after a kill": func() { b.reopen(true) }} {
		again()
		b.equal(what, []string{b.get(shop, "row7"), b.get(shop, "row1199"), b.get("source.webhook.b", "row1")}, []string{"none", "none", "1"})
	}
	b.equal("a known id", send(shop, 7).Duplicate, false)
	b.equal("known again", send(shop, 7).Duplicate, true)
	b.equal("of another source", send("source.webhook.b", 1).Duplicate, true)
	b.equal("new state", b.get(shop, "row7"), "7")
	time.Sleep(time.Minute)
	b.equal("later", b.get(shop, "row7"), "7")
	b.equal("events", b.sourceStats(shop).Accepted, int64(many+1))
}

// forget is reset for one source, on an operator's word.
func forget(t *testing.T, h Harness) {
	b := open(t, h)
	b.configure(flow("orders", "crm"))
	send := func(source string) component.Accepted {
		t.Helper()
		r := record(1)
		r.Dedupe = "one"
		got, err := b.Append(t.Context(), journal.Append{Source: source, Records: []journal.Record{r}, DedupeWindow: time.Hour, State: []component.Put{{Key: "cursor", Value: 1}}})
		b.ok(err)
		return got[0]
	}
	send(shop)
	send("source.webhook.b")
	b.ok(b.Forget(t.Context(), shop))
	b.ok(b.Forget(t.Context(), "source.none"))
	b.reopen(true)
	b.equal("cursors", []string{b.get(shop, "cursor"), b.get("source.webhook.b", "cursor")}, []string{"none", "1"})
	b.equal("a known id", send(shop).Duplicate, false)
	b.equal("known again", send(shop).Duplicate, true)
	b.equal("of another source", send("source.webhook.b").Duplicate, true)
	b.equal("new state", b.get(shop, "cursor"), "1")
}

func kept(t *testing.T, h Harness) {
	b := open(t, h)
	expires := time.Now().Add(time.Minute).UTC()
	puts := []component.Put{{Key: "cursor", Value: "c"}, {Key: "soon", Value: 1, Expires: expires}, {Key: "file:ä", Value: true}, {Key: "filé", Value: 0}}
	for n := range 5 {
		puts = append(puts, component.Put{Key: fmt.Sprint("file:", n), Value: n})
	}
	_, err := b.Append(t.Context(), journal.Append{Source: shop, State: puts})
	b.ok(err)
	list := func(q journal.KeptQuery) (keys []string) {
		t.Helper()
		got, err := b.Kept(t.Context(), shop, q)
		b.ok(err)
		for _, k := range got {
			keys = append(keys, fmt.Sprintf("%s=%s", k.Key, k.Value))
			if (k.Key == "soon") != k.Expires.Equal(expires) {
				t.Errorf("%s expires at %s", k.Key, k.Expires)
			}
		}
		return keys
	}
	count := func(prefix string) int64 {
		t.Helper()
		n, err := b.CountKept(t.Context(), shop, prefix)
		b.ok(err)
		return n
	}
	b.equal("all", list(journal.KeptQuery{Limit: 100}), []string{`cursor="c"`, "file:0=0", "file:1=1", "file:2=2", "file:3=3", "file:4=4", "file:ä=true", "filé=0", "soon=1"})
	b.equal("a page", list(journal.KeptQuery{Prefix: "file:", After: "file:1", Limit: 2}), []string{"file:2=2", "file:3=3"})
	b.equal("the last page", list(journal.KeptQuery{Prefix: "file:", After: "file:4", Limit: 2}), []string{"file:ä=true"})
	b.equal("counts", []int64{count(""), count("file:"), count("x")}, []int64{9, 6, 0})
	time.Sleep(2 * time.Minute)
	b.equal("expired", list(journal.KeptQuery{Prefix: "so", Limit: 1}), []string(nil))
	b.equal("expired", []int64{count(""), count("so")}, []int64{8, 0})
	got, err := b.Kept(t.Context(), "source.none", journal.KeptQuery{Limit: 1})
	b.ok(err)
	b.equal("of nobody", len(got), 0)
}

func setState(t *testing.T, h Harness) {
	b := open(t, h)
	b.ok(b.Set(t.Context(), "daemon", []component.Put{{Key: "rollback", Value: map[string]int{"to": 3}}, {Key: "other", Value: true}}))
	b.reopen(true)
	b.equal("set", b.get("daemon", "rollback"), `{"to":3}`)
	if err := b.Set(t.Context(), "daemon", []component.Put{{Key: "other", Value: false}, {Key: "bad", Value: make(chan int)}}); err == nil {
		t.Error("a value that cannot be stored was set")
	}
	b.equal("nothing of a bad one", b.get("daemon", "other"), "true")
	b.ok(b.Set(t.Context(), "daemon", []component.Put{{Key: "rollback"}}))
	b.equal("deleted", b.get("daemon", "rollback"), "none")
}

func progress(t *testing.T, h Harness) {
	b := open(t, h)
	two := flow("orders", "crm", "erp")
	two.Sources = []string{"source.webhook.b", shop}
	if _, err := b.Progress(t.Context(), crm); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("before the first Configure: %v, want ErrNotFound", err)
	}
	b.configure(two)
	b.add(shop, 5)
	b.settle(crm, journal.Delivered, 1, 2, 5)
	b.settle(steps, journal.Nothing, 3)
	for lane, want := range map[journal.Lane]journal.Progress{
		crm: {Lane: crm, Source: shop, Low: 2, Beyond: []journal.Position{5}}, erp: {Lane: erp, Source: shop}, steps: {Lane: steps, Source: shop, Beyond: []journal.Position{3}},
	} {
		got, err := b.Progress(t.Context(), lane)
		b.ok(err)
		b.equal("progress", got, []journal.Progress{{Lane: lane, Source: "source.webhook.b"}, want})
	}
	b.configure(flow("orders", "crm"))
	got, err := b.Progress(t.Context(), crm)
	b.ok(err)
	b.equal("without the source that was taken out", len(got), 1)
	if _, err := b.Progress(t.Context(), erp); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("of an orphan: %v, want ErrNotFound", err)
	}
}

func origins(t *testing.T, h Harness) {
	b := open(t, h)
	check := func(what string, want map[string]string) {
		t.Helper()
		got, err := b.Origins(t.Context())
		b.ok(err)
		b.equal(what, got, want)
	}
	configure := func(moved []journal.Move, flows []journal.Flow, names ...string) error {
		known, err := b.Origins(t.Context())
		b.ok(err)
		_, err = b.Configure(t.Context(), journal.Topology{Flows: flows, Moved: moved, Origins: journal.NextOrigins(known, moved, names)})
		return err
	}
	check("at first", nil)
	b.ok(configure(nil, []journal.Flow{flow("orders", "crm")}, "orders", "crm", "called"))
	b.add(shop, 1)
	check("their names", map[string]string{"orders": "orders", "crm": "crm", "called": "called"})

	moved := []journal.Move{{From: "orders", To: "sales"}, {From: "called", To: "helper"}, {From: "crm", To: "new_crm"}}
	b.ok(configure(moved, []journal.Flow{flow("sales", "new_crm")}, "sales", "new_crm", "helper"))
	want := map[string]string{"sales": "orders", "new_crm": "crm", "helper": "called"}
	check("after moves", want)
	b.reopen(true)
	b.ok(configure(moved, []journal.Flow{flow("sales", "new_crm")}, "sales", "new_crm", "helper"))
	check("after the same again", want)

	b.ok(configure(nil, []journal.Flow{flow("sales", "new_crm"), flow("orders", "crm")}, "sales", "new_crm", "helper", "orders", "crm"))
	want["orders"], want["crm"] = "orders#2", "crm#2"
	check("new ones that have the old names", want)

	b.ok(configure(nil, []journal.Flow{flow("orders", "crm")}, "orders", "crm"))
	delete(want, "helper") // which has no lanes
	check("orphans keep theirs", want)
	known, err := b.Origins(t.Context())
	b.ok(err)
	b.ok(b.DropLane(t.Context(), journal.Lane{Flow: "sales", Sink: "new_crm"}))
	b.ok(b.DropLane(t.Context(), journal.Lane{Flow: "sales"}))
	check("dropped ones do not", map[string]string{"orders": "orders#2", "crm": "crm#2"})

	stale := journal.Topology{Flows: []journal.Flow{flow("trade", "crm")}, Moved: []journal.Move{{From: "sales", To: "trade"}},
		Origins: journal.NextOrigins(known, []journal.Move{{From: "sales", To: "trade"}}, []string{"trade", "crm"})}
	if _, err := b.Configure(t.Context(), stale); err == nil || !strings.Contains(err.Error(), "trade") {
		t.Errorf("origins that do not hold any more: %v", err)
	}
	check("nothing of it", map[string]string{"orders": "orders#2", "crm": "crm#2"})
}

// reconfigureUnderLoad changes the flows while events come in and are settled. What
// goes on running must lose nothing; an event of a source that a flow takes now and
// then belongs to the topology of before or of after.
func reconfigureUnderLoad(t *testing.T, h Harness) {
	b := open(t, h)
	const submitters, each, reloads = 16, 40, 40
	const side = "source.webhook.side"
	steady := flow("steady", "crm")
	sometimes := journal.Flow{Name: "sometimes", Sources: []string{side}, Sinks: []string{"crm"}}
	b.configure(steady, sometimes)
	var begun, done atomic.Int64 // reloads; those that are odd take side out
	var surely, perhaps atomic.Int64
	var senders, settler sync.WaitGroup
	for n := range submitters {
		senders.Go(func() {
			for i := range each {
				_, err := b.Append(t.Context(), journal.Append{Source: shop, Records: records(n*each+i, 1)})
				before := done.Load()
				_, serr := b.Append(t.Context(), journal.Append{Source: side, Records: records(n*each+i, 1)})
				if err != nil || serr != nil {
					t.Errorf("Append: %v, %v", err, serr)
				}
				switch {
				case begun.Load() != before:
					perhaps.Add(1)
				case before%2 == 1:
					surely.Add(1)
				}
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	settler.Go(func() { settleAll(ctx, b, journal.Lane{Flow: "steady", Sink: "crm"}) })
	for n := int64(1); n <= reloads; n++ {
		flows := []journal.Flow{steady, sometimes}
		begun.Store(n)
		if _, err := b.Configure(t.Context(), journal.Topology{Flows: flows[:2-n%2], Generation: n, Record: generation(n)}); err != nil {
			t.Errorf("Configure: %v", err)
		}
		done.Store(n)
	}
	senders.Wait()
	synctest.Wait()
	cancel()
	settler.Wait()
	const events = submitters * each
	b.equal("unrouted of a source that is always taken", b.sourceStats(shop).Unrouted, int64(0))
	b.equal("accepted of it", b.flowStats("steady").Accepted, int64(events))
	p, err := b.Progress(t.Context(), journal.Lane{Flow: "steady", Sink: "crm"})
	b.ok(err)
	b.equal("settled of it", p[0].Low, journal.Position(events))
	b.equal("all events of the other", len(b.all(side, 0)), events)
	if n := b.sourceStats(side).Unrouted; n < surely.Load() || n > surely.Load()+perhaps.Load() {
		t.Errorf("%d events were unrouted: %d came surely while no flow took them, %d perhaps", n, surely.Load(), perhaps.Load())
	}
}

// settleAll settles what comes, until ctx ends.
func settleAll(ctx context.Context, b *bench, l journal.Lane) {
	wake, stop := b.Watch([]string{shop})
	defer stop()
	low := journal.Position(0)
	for {
		frames, err := b.Read(context.WithoutCancel(ctx), shop, low, 1<<20)
		if err != nil {
			b.Errorf("Read: %v", err)
			return
		}
		for _, f := range frames {
			var all []journal.Position
			for p := max(f.First, low+1); p <= f.Last(); p++ {
				all = append(all, p)
			}
			if err := b.Settle(context.WithoutCancel(ctx), settlement(l, journal.Delivered, all...)); err != nil {
				b.Errorf("Settle: %v", err)
			}
			low = f.Last()
		}
		if len(frames) > 0 {
			continue
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return
		}
	}
}
