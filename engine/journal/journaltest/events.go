package journaltest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

func appendAndRead(t *testing.T, h Harness) {
	b := open(t, h)
	b.equal("events of an unknown source", len(b.all(shop, 0)), 0)
	want := b.add(shop, 5)
	b.configure(flow("orders", "crm")) // from now on events stay in memory, too
	list := records(6, 3)
	got, err := b.Append(t.Context(), journal.Append{Source: shop, Records: list})
	b.ok(err)
	for i, a := range got {
		b.equal("answer", a, component.Accepted{ID: list[i].ID.String()})
	}
	want = append(want, list...)
	silent := records(9, 1)
	got, err = b.Append(t.Context(), journal.Append{Source: shop, Records: silent, Silent: true})
	b.ok(err)
	b.equal("answers to a silent append", len(got), 0)
	want = append(want, silent...)
	b.add("source.webhook.other", 2)
	for _, restart := range []func(){func() {}, func() { b.reopen(false) }, func() { b.reopen(true) }} {
		restart()
		b.equal("all events", b.all(shop, 0), want, same)
		b.equal("events after 6", b.all(shop, 6), want[6:], same)
		b.equal("events after the last", len(b.all(shop, 9)), 0)
	}
	b.equal("accepted", b.sourceStats(shop).Accepted, int64(9))
	b.equal("last", b.sourceStats(shop).Last, silent[0].Time, same)
}

func payloads(t *testing.T, h Harness) {
	b := open(t, h)
	b.configure(flow("orders", "crm"))
	names := []string{"id", "name", "price", "paid", "note"}
	now := time.Now()
	shaped := func(v ...any) journal.Payload {
		return journal.Payload{ContentType: "text/csv", Names: names, Values: v}
	}
	var want []journal.Record
	for _, p := range []journal.Payload{
		{ContentType: "application/json", Raw: []byte(`{"a":1}`)},
		{ContentType: "text/plain", Raw: []byte{}},
		{Raw: []byte("\x00\xff")},
		shaped(int64(math.MinInt64), "Ana", 1.5, true, nil),
		shaped(int64(math.MaxInt64), "", math.Inf(1), false, "x"),
		{ContentType: "application/json", Names: []string{"other"}, Values: []any{int64(0)}},
		shaped(int64(7), "Ñandú", -0.25, true, nil),
	} {
		want = append(want, journal.Record{ID: journal.NewID(now), Time: now, Payload: p})
	}
	want[1].Meta, want[2].Key = json.RawMessage(`{}`), "clé"
	_, err := b.Append(t.Context(), journal.Append{Source: shop, Records: want})
	b.ok(err)
	b.equal("from memory", b.all(shop, 0), want, same)
	b.reopen(true)
	b.equal("from disk", b.all(shop, 0), want, same)
}

func largeBatches(t *testing.T, h Harness) {
	b := open(t, h)
	names := []string{"n", "text"}
	now := time.Now()
	want := make([]journal.Record, 3500)
	for i := range want {
		want[i] = journal.Record{ID: journal.NewID(now), Time: now, Payload: journal.Payload{Names: names, Values: []any{int64(i), strings.Repeat("x", i%700)}}}
	}
	_, err := b.Append(t.Context(), journal.Append{Source: shop, Records: want})
	b.ok(err)
	b.reopen(false)
	b.equal("all events", b.all(shop, 0), want, same)
	b.equal("events after 1700", b.all(shop, 1700), want[1700:], same)
	frames, err := b.Read(t.Context(), shop, 0, 1)
	b.ok(err)
	if len(frames) != 1 || len(frames[0].Events) > 1000 || frames[0].Bytes > 2<<20 {
		t.Fatalf("%d frames, the first of %d events, %d bytes", len(frames), len(frames[0].Events), frames[0].Bytes)
	}
}

func largeRecords(t *testing.T, h Harness) {
	b := open(t, h)
	want := records(0, 3)
	for i := range want {
		want[i].Payload.Raw = []byte(strings.Repeat(fmt.Sprintf("%06d", i), 250_000))
	}
	_, err := b.Append(t.Context(), journal.Append{Source: shop, Records: want})
	b.ok(err)
	b.reopen(false)
	b.equal("all events", b.all(shop, 0), want, same)
	frames, err := b.Read(t.Context(), shop, 0, 2<<20)
	b.ok(err)
	if len(frames) != 2 {
		t.Fatalf("%d frames of 1.5 MB for 2 MiB, want 2", len(frames))
	}
}

func manySubmitters(t *testing.T, h Harness) {
	b := open(t, h)
	b.configure(flow("orders", "crm"))
	const submitters, each = 32, 10
	sources := []string{shop, "source.webhook.b", "source.webhook.c"}
	var wg sync.WaitGroup
	for n := range submitters {
		wg.Go(func() {
			for i := range each {
				r := record(n*each + i)
				got, err := b.Append(t.Context(), journal.Append{Source: sources[n%3], Records: []journal.Record{r},
					State: []component.Put{{Key: fmt.Sprint("submitter", n), Value: i}}})
				if err != nil || len(got) != 1 || got[0].ID != r.ID.String() || got[0].Duplicate {
					t.Errorf("Append: %v, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
	b.reopen(true)
	seen := map[string]int{}
	for _, s := range sources {
		for _, r := range b.all(s, 0) {
			seen[string(r.Payload.Raw)]++
		}
	}
	for i := range submitters * each {
		if n := seen[fmt.Sprintf(`{"n":%d}`, i)]; n != 1 {
			t.Errorf("event %d is there %d times", i, n)
		}
	}
	for n := range submitters {
		v, _, err := b.Get(t.Context(), sources[n%3], fmt.Sprint("submitter", n))
		b.ok(err)
		b.equal("state", string(v), fmt.Sprint(each-1))
	}
}

func duplicates(t *testing.T, h Harness) {
	b := open(t, h)
	b.configure(flow("orders", "crm"))
	list := records(1, 5)
	for i, id := range []string{"a", "b", "a", "", ""} {
		list[i].Dedupe = id
	}
	in := journal.Append{Source: shop, Records: list, DedupeWindow: time.Hour}
	got, err := b.Append(t.Context(), in)
	b.ok(err)
	first := list[0].ID.String()
	b.equal("a duplicate in one batch", got[2], component.Accepted{ID: first, Duplicate: true})
	b.equal("stored", b.all(shop, 0), []journal.Record{list[0], list[1], list[3], list[4]}, same)
	b.reopen(true)
	again := records(6, 2)
	again[0].Dedupe, again[1].Dedupe = "a", "c"
	got, err = b.Append(t.Context(), journal.Append{Source: shop, Records: again, DedupeWindow: time.Hour})
	b.ok(err)
	b.equal("answers", got, []component.Accepted{{ID: first, Duplicate: true}, {ID: again[1].ID.String()}})
	again[0].ID = journal.NewID(time.Now())
	got, err = b.Append(t.Context(), journal.Append{Source: "source.webhook.other", Records: again[:1], DedupeWindow: time.Hour})
	b.ok(err)
	b.equal("the same id in another source", got[0].Duplicate, false)
	s := b.sourceStats(shop)
	b.equal("accepted and duplicates", []int64{s.Accepted, s.Duplicates}, []int64{5, 2})
}

// A record whose content has changed is new, though its id is known; then only that
// content is.
func changedContent(t *testing.T, h Harness) {
	b := open(t, h)
	b.configure(flow("orders", "crm"))
	list := records(1, 6)
	contents := []string{"x", "x", "y", "y", "x", ""}
	for i := range list {
		list[i].Dedupe, list[i].Content = "a", contents[i]
	}
	for i := range list {
		if i == 4 {
			b.reopen(true)
		}
		got, err := b.Append(t.Context(), journal.Append{Source: shop, Records: list[i : i+1], DedupeWindow: time.Hour})
		b.ok(err)
		want := component.Accepted{ID: list[i].ID.String()}
		if i == 1 || i == 3 || i == 5 {
			want = component.Accepted{ID: list[i-1].ID.String(), Duplicate: true}
		}
		b.equal(fmt.Sprintf("record %d", i), got[0], want)
	}
}

// An id that is met again is remembered from then on, if that is wanted.
func renewedIDs(t *testing.T, h Harness) {
	b := open(t, h)
	r := record(1)
	r.Dedupe = "a"
	first := r.ID.String()
	for i, hours := range []int{0, 4, 10, 1, 10, 16} {
		time.Sleep(time.Duration(hours) * time.Hour)
		r.ID = journal.NewID(time.Now())
		got, err := b.Append(t.Context(), journal.Append{Source: shop, Records: []journal.Record{r}, DedupeWindow: 10 * time.Hour, Renew: true})
		b.ok(err)
		b.equal(fmt.Sprintf("time %d", i), got[0].Duplicate, i > 0 && i < 5)
		if i > 0 && i < 5 {
			b.equal("the id it is answered with", got[0].ID, first)
		}
		first = got[0].ID
	}
}

func dedupeWindow(t *testing.T, h Harness) {
	b := open(t, h)
	send := func() component.Accepted {
		r := record(1)
		r.Dedupe = "a"
		got, err := b.Append(t.Context(), journal.Append{Source: shop, Records: []journal.Record{r}, DedupeWindow: time.Hour})
		b.ok(err)
		return got[0]
	}
	first := send()
	time.Sleep(59 * time.Minute)
	b.equal("within the window", send(), component.Accepted{ID: first.ID, Duplicate: true})
	time.Sleep(2 * time.Minute)
	second := send()
	b.equal("past the window", second.Duplicate, false)
	b.equal("again", send(), component.Accepted{ID: second.ID, Duplicate: true})
}

func state(t *testing.T, h Harness) {
	b := open(t, h)
	put := func(puts ...component.Put) {
		t.Helper()
		_, err := b.Append(t.Context(), journal.Append{Source: shop, State: puts})
		b.ok(err)
	}
	get := func(scope, key string) string {
		t.Helper()
		v, ok, err := b.Get(t.Context(), scope, key)
		b.ok(err)
		if !ok {
			return "none"
		}
		return string(v)
	}
	b.equal("of nobody", get(shop, "cursor"), "none")
	put(component.Put{Key: "cursor", Value: map[string]any{"page": 3}}, component.Put{Key: "gone", Value: 1},
		component.Put{Key: "soon", Value: "x", Expires: time.Now().Add(time.Minute)})
	put(component.Put{Key: "gone"})
	b.reopen(true)
	b.equal("cursor", get(shop, "cursor"), `{"page":3}`)
	b.equal("deleted", get(shop, "gone"), "none")
	b.equal("of another scope", get("sink.files.out", "cursor"), "none")
	b.equal("before it expires", get(shop, "soon"), `"x"`)
	time.Sleep(2 * time.Minute)
	b.equal("expired", get(shop, "soon"), "none")

	b.configure(flow("orders", "sink.files.out"))
	b.add(shop, 1)
	s := settlement(journal.Lane{Flow: "orders", Sink: "sink.files.out"}, journal.Delivered, 1)
	s.State = []component.Put{{Key: "length", Value: 120}}
	b.ok(b.Settle(t.Context(), s))
	b.equal("of a settlement", get("sink.files.out", "length"), "120")
}

func badAlone(t *testing.T, h Harness) {
	b := open(t, h)
	b.configure(flow("orders", "crm"))
	var wg sync.WaitGroup
	for n := range 16 {
		wg.Go(func() {
			bad := journal.Append{Source: shop, Records: records(n, 1), State: []component.Put{{Key: "bad", Value: make(chan int)}}}
			if n%2 == 1 {
				bad = journal.Append{Source: shop, Records: []journal.Record{{Payload: journal.Payload{Names: []string{"a"}, Values: []any{struct{}{}}}}}}
			}
			if _, err := b.Append(t.Context(), bad); err == nil {
				t.Error("a value that cannot be stored was accepted")
			}
		})
		wg.Go(func() {
			if err := b.Settle(t.Context(), settlement(journal.Lane{Flow: "no", Sink: "no"}, journal.Delivered, 1)); err == nil {
				t.Error("a lane that is not there was settled")
			}
		})
		wg.Go(func() {
			if _, err := b.Append(t.Context(), journal.Append{Source: shop, Records: records(n, 1), State: []component.Put{{Key: "good", Value: n}}}); err != nil {
				t.Errorf("a good one failed: %v", err)
			}
		})
	}
	wg.Wait()
	b.equal("stored", len(b.all(shop, 0)), 16)
}

func cancelledAppend(t *testing.T, h Harness) {
	b := open(t, h)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Append(ctx, journal.Append{Source: shop, Records: records(1, 1)}); !errors.Is(err, context.Canceled) {
		t.Fatalf("Append with a context that has ended: %v", err)
	}
	b.add(shop, 1)
	b.equal("stored", len(b.all(shop, 0)), 1)
}

func sourceDead(t *testing.T, h Harness) {
	b := open(t, h)
	broken := journal.Exception{Key: journal.Key{Source: shop}, EventID: "x", Envelope: []byte("a;b"), Dead: true,
		Errors: []journal.Failure{{Time: time.Now().UTC(), Error: "line 3: no such column"}}}
	_, err := b.Append(t.Context(), journal.Append{Source: shop, Records: records(1, 1), Dead: []journal.Exception{broken, broken}})
	b.ok(err)
	b.reopen(true)
	list := b.exceptions(journal.ExceptionQuery{Lane: &journal.Lane{}})
	b.equal("dead letters", len(list), 2)
	broken.ID = list[0].ID
	b.equal("the first", list[0], broken)
	b.equal("counted", b.sourceStats(shop).Dead, int64(2))

	broken.Attempts = 2
	_, err = b.Append(t.Context(), journal.Append{Source: shop, Dead: []journal.Exception{broken}})
	b.ok(err)
	b.equal("replaced", b.exceptions(journal.ExceptionQuery{})[0], broken)
	_, err = b.Append(t.Context(), journal.Append{Source: shop, Records: records(2, 1), Retried: []int64{broken.ID}})
	b.ok(err)
	b.equal("after a retry", b.sourceStats(shop).Dead, int64(1))
	for what, a := range map[string]journal.Append{
		"retried twice":      {Source: shop, Records: records(3, 1), Retried: []int64{broken.ID}},
		"replaced too late":  {Source: shop, Records: records(3, 1), Dead: []journal.Exception{broken}},
		"of another's grave": {Source: "source.webhook.other", Records: records(3, 1), Retried: []int64{list[1].ID}},
	} {
		if _, err := b.Append(t.Context(), a); !errors.Is(err, journal.ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", what, err)
		}
	}
	_, err = b.Drop(t.Context(), list[1].ID)
	b.ok(err)
	s := b.sourceStats(shop)
	b.equal("after a drop", []int64{s.Dead, s.Accepted}, []int64{0, 2})
}

func refusedAndUnrouted(t *testing.T, h Harness) {
	b := open(t, h)
	b.add(shop, 2)
	b.configure(flow("orders", "crm"))
	b.add(shop, 3)
	b.Refused(shop, 4)
	b.Refused("source.webhook.strange", 1)
	b.equal("refused, not stored yet", b.sourceStats(shop).Refused, int64(4))
	time.Sleep(1500 * time.Millisecond)
	synctest.Wait()
	b.reopen(true)
	b.Refused(shop, 1)
	b.reopen(false)
	s := b.sourceStats(shop)
	b.equal("accepted, refused, unrouted", []int64{s.Accepted, s.Refused, s.Unrouted}, []int64{5, 5, 2})
	b.equal("of a source without events", b.sourceStats("source.webhook.strange").Refused, int64(1))
}

func watch(t *testing.T, h Harness) {
	b := open(t, h)
	wake, stop := b.Watch([]string{shop, "source.webhook.b"})
	woken := func() bool {
		synctest.Wait()
		select {
		case <-wake:
			return true
		default:
			return false
		}
	}
	b.equal("at first", woken(), true)
	b.equal("then", woken(), false)
	b.add("source.webhook.c", 1)
	b.equal("after events of others", woken(), false)
	b.add("source.webhook.b", 3)
	b.equal("after events", woken(), true)
	b.equal("once", woken(), false)
	stop()
	b.add(shop, 1)
	b.equal("after stop", woken(), false)
}

func closed(t *testing.T, h Harness) {
	b := open(t, h)
	b.configure(flow("orders", "crm"))
	b.add(shop, 1)
	b.ok(b.Close())
	b.ok(b.Close())
	_, err := b.Append(t.Context(), journal.Append{Source: shop, Records: records(1, 1)})
	_, rerr := b.Read(t.Context(), shop, 0, 1)
	_, serr := b.Stats(t.Context())
	for _, err := range []error{err, rerr, serr, b.Settle(t.Context(), settlement(journal.Lane{Flow: "orders", Sink: "crm"}, journal.Delivered, 1))} {
		if !errors.Is(err, journal.ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
	}
}
