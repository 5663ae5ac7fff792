package journaltest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

const shop = "source.webhook.shop"

// bench is a journal under test with what most cases do to it.
type bench struct {
	*testing.T
	h        Harness
	settings Settings
	journal.Journal
}

func open(t *testing.T, h Harness) *bench { return openWith(t, h, Settings{Retention: 24 * time.Hour}) }

func openWith(t *testing.T, h Harness, s Settings) *bench {
	b := &bench{T: t, h: h, settings: s, Journal: h.Open(t, s)}
	t.Cleanup(func() { b.Journal.Close() })
	return b
}

// reopen closes, or kills, and opens the journal again.
func (b *bench) reopen(kill bool) {
	b.Helper()
	if kill {
		b.h.Kill(b.T, b.Journal)
	} else if err := b.Journal.Close(); err != nil {
		b.Fatalf("Close: %v", err)
	}
	b.Journal = b.h.Open(b.T, b.settings)
}

func (b *bench) ok(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) equal(what string, got, want any, opts ...gocmp.Option) {
	b.Helper()
	if d := gocmp.Diff(want, got, append(opts, cmpopts.EquateEmpty())...); d != "" {
		b.Fatalf("%s (-want +got):\n%s", what, d)
	}
}

// later asserts that err says: not now.
func (b *bench) later(err error) *component.LaterError {
	b.Helper()
	var l *component.LaterError
	if !errors.As(err, &l) || l.After <= 0 || l.Reason == "" {
		b.Fatalf("got %v, want a LaterError", err)
	}
	return l
}

// record makes an event whose payload says n.
func record(n int) journal.Record {
	now := time.Now()
	return journal.Record{
		ID: journal.NewID(now), Time: now, Key: fmt.Sprint("key", n%3), Meta: json.RawMessage(`{"method":"POST"}`),
		Payload: journal.Payload{ContentType: "application/json", Raw: fmt.Appendf(nil, `{"n":%d}`, n)},
	}
}

func records(from, n int) []journal.Record {
	list := make([]journal.Record, n)
	for i := range list {
		list[i] = record(from + i)
	}
	return list
}

// add appends n events to a source, one submission each, and returns their records.
func (b *bench) add(source string, n int) []journal.Record {
	b.Helper()
	list := records(1, n)
	for _, r := range list {
		_, err := b.Append(b.Context(), journal.Append{Source: source, Records: []journal.Record{r}})
		b.ok(err)
	}
	return list
}

// all reads every event of the source after the position.
func (b *bench) all(source string, after journal.Position) (list []journal.Record) {
	b.Helper()
	for {
		frames, err := b.Read(b.Context(), source, after, 64<<10)
		b.ok(err)
		if len(frames) == 0 {
			return list
		}
		for _, f := range frames {
			if f.Source != source || f.First > after+1 || f.Last() <= after {
				b.Fatalf("frame of %s %d…%d read after %d of %s", f.Source, f.First, f.Last(), after, source)
			}
			list = append(list, f.Events[after+1-f.First:]...)
			after = f.Last()
		}
	}
}

func flow(name string, sinks ...string) journal.Flow {
	return journal.Flow{Name: name, Sources: []string{shop}, Sinks: sinks}
}

func (b *bench) configure(flows ...journal.Flow) []journal.Progress {
	b.Helper()
	p, err := b.Configure(b.Context(), journal.Topology{Flows: flows, Generation: 1})
	b.ok(err)
	return p
}

// settle gives the events one status on a lane.
func (b *bench) settle(l journal.Lane, s journal.Status, positions ...journal.Position) {
	b.Helper()
	b.ok(b.Settle(b.Context(), settlement(l, s, positions...)))
}

func settlement(l journal.Lane, s journal.Status, positions ...journal.Position) journal.Settlement {
	t := journal.Settlement{Lane: l}
	for _, p := range positions {
		t.Outcomes = append(t.Outcomes, journal.Outcome{Source: shop, Position: p, Status: s, Attempts: 1, Took: 3 * time.Millisecond})
	}
	return t
}

// upTo is the positions 1 … n.
func upTo(n journal.Position) (list []journal.Position) {
	for p := journal.Position(1); p <= n; p++ {
		list = append(list, p)
	}
	return list
}

func exception(p journal.Position, path string, dead bool) journal.Exception {
	now := time.Now().UTC()
	return journal.Exception{
		Key: journal.Key{Source: shop, Position: p, Path: path}, EventID: fmt.Sprint("event", p), EventTime: now, Envelope: []byte("envelope"),
		OrderKey: "k", Attempts: 1, Since: now, Next: now.Add(time.Minute), Dead: dead, Errors: []journal.Failure{{Time: now, Error: "refused"}},
	}
}

// flowStats is that flow's account, whose sum must be right.
func (b *bench) flowStats(name string) journal.FlowStats {
	b.Helper()
	s, err := b.Stats(b.Context())
	b.ok(err)
	i := slices.IndexFunc(s.Flows, func(f journal.FlowStats) bool { return f.Flow == name })
	if i < 0 {
		b.Fatalf("no stats of flow %s", name)
	}
	f := s.Flows[i]
	if f.Accepted != f.Delivered+f.Filtered+f.Dead+f.Dropped+f.Pending {
		b.Fatalf("the account does not add up: %+v", f)
	}
	return f
}

func (b *bench) sourceStats(source string) journal.SourceStats {
	b.Helper()
	s, err := b.Stats(b.Context())
	b.ok(err)
	i := slices.IndexFunc(s.Sources, func(f journal.SourceStats) bool { return f.Source == source })
	if i < 0 {
		b.Fatalf("no stats of source %s", source)
	}
	return s.Sources[i]
}

func (b *bench) laneStats(l journal.Lane) (journal.LaneStats, bool) {
	b.Helper()
	s, err := b.Stats(b.Context())
	b.ok(err)
	i := slices.IndexFunc(s.Lanes, func(f journal.LaneStats) bool { return f.Lane == l })
	if i < 0 {
		return journal.LaneStats{}, false
	}
	return s.Lanes[i], true
}

func (b *bench) statuses(flow string, p journal.Position) map[string]journal.Status {
	b.Helper()
	m, err := b.Statuses(b.Context(), flow, shop, p)
	b.ok(err)
	return m
}

func (b *bench) exceptions(q journal.ExceptionQuery) []journal.Exception {
	b.Helper()
	list, err := b.Exceptions(b.Context(), q)
	b.ok(err)
	if !slices.IsSortedFunc(list, func(x, y journal.Exception) int { return cmp.Compare(x.ID, y.ID) }) {
		b.Fatal("exceptions are not ordered by ID")
	}
	return list
}

// progressOf is the lane's progress among those that Configure answered.
func (b *bench) progressOf(list []journal.Progress, l journal.Lane, source string) journal.Progress {
	b.Helper()
	i := slices.IndexFunc(list, func(p journal.Progress) bool { return p.Lane == l && p.Source == source })
	if i < 0 {
		b.Fatalf("no progress of %v of %s", l, source)
	}
	return list[i]
}

// same compares records as they are read: without Dedupe and Content, times by instant.
var same = gocmp.Options{cmpopts.EquateApproxTime(0), bigBytes, cmpopts.IgnoreFields(journal.Record{}, "Dedupe", "Content")}

// bigBytes keeps cmp from looking for the differences within megabytes.
var bigBytes = gocmp.FilterValues(func(a, b []byte) bool { return len(a) > 0 && len(b) > 0 }, gocmp.Comparer(bytes.Equal))
