package flow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/format"
	"github.com/syncd/syncd/engine/journal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const src = "source.webhook.in"

// rig is a journal with flows on it, within a synctest bubble.
type rig struct {
	t     *testing.T
	dir   string
	j     *journal.SQLite
	r     *Runner
	stop  func()
	specs []Spec
	sinks map[component.Address]*Sink
	start journal.Flow // Start of every flow
	top   atomic.Pointer[journal.Topology]
	// settling stands before each settlement of a lane to a sink, and may fail it; nil: nothing does.
	settling func(journal.Settlement) error
	unread   atomic.Bool // the journal cannot be read
}

// attended is the journal with what stands before its settlements and readings.
type attended struct {
	journal.Journal
	g *rig
}

func (j attended) Read(ctx context.Context, source string, after journal.Position, bytes int) ([]*journal.Frame, error) {
	if j.g.unread.Load() {
		return nil, errors.New("disk error")
	}
	return j.Journal.Read(ctx, source, after, bytes)
}

func (j attended) Settle(ctx context.Context, s journal.Settlement) error {
	if s.Lane.Sink != "" {
		if err := j.g.settling(s); err != nil {
			return err
		}
	}
	return j.Journal.Settle(ctx, s)
}

func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, test)
}

func newRig(t *testing.T) *rig {
	g := &rig{t: t, dir: t.TempDir(), sinks: map[component.Address]*Sink{}}
	g.openJournal()
	t.Cleanup(func() {
		if g.stop != nil {
			g.stop()
		}
		if err := g.j.Close(); err != nil {
			t.Errorf("close journal: %v", err)
		}
	})
	return g
}

func (g *rig) openJournal() {
	j, err := journal.Open(g.dir, journal.Options{Now: utcNow, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		g.t.Fatal(err)
	}
	g.j = j
}

func utcNow() time.Time { return time.Now().UTC() }

// sink adds a sink with quick retries; change adjusts its settings.
func (g *rig) sink(name string, s component.Sink, change ...func(*component.SinkCommon)) component.Address {
	var c component.SinkCommon
	c.SetDefaults()
	for _, f := range change {
		f(&c)
	}
	addr := component.Address("sink.test." + name)
	g.sinks[addr] = NewSink(addr, s, c)
	return addr
}

// flow adds a flow; its nodes end in Sends.
func (g *rig) flow(name string, nodes ...Node) *Spec {
	g.specs = append(g.specs, Spec{Name: "flow." + name, Sources: []string{src}, Program: NewProgram(nodes), Concurrency: 8})
	return &g.specs[len(g.specs)-1]
}

// configure tells the journal of the flows.
func (g *rig) configure() []journal.Progress {
	g.t.Helper()
	top := journal.Topology{Generation: 1}
	for _, s := range g.specs {
		f := g.start
		f.Name, f.Sources = s.Name, s.Sources
		for _, a := range s.Program.Sinks() {
			f.Sinks = append(f.Sinks, string(a))
		}
		top.Flows = append(top.Flows, f)
	}
	progress, err := g.j.Configure(g.t.Context(), top)
	if err != nil {
		g.t.Fatal(err)
	}
	g.top.Store(&top)
	return progress
}

// progress reads how far a lane has come.
func (g *rig) progress(ctx context.Context, id journal.Lane) ([]journal.Progress, error) {
	all, err := g.j.Configure(ctx, *g.top.Load())
	list := slices.DeleteFunc(all, func(p journal.Progress) bool { return p.Lane != id })
	if err == nil && len(list) == 0 {
		err = journal.ErrNotFound
	}
	return list, err
}

// swap makes change of the specs and sinks, and has the runner take them over.
func (g *rig) swap(change func()) (retired <-chan struct{}) {
	g.t.Helper()
	change()
	g.configure()
	return g.r.Swap(g.specs, g.sinks)
}

// run starts the flows.
func (g *rig) run() {
	g.t.Helper()
	progress := g.configure()
	o := Options{
		Journal: g.j, Progress: g.progress, Log: slog.New(slog.DiscardHandler), Now: utcNow,
		Jitter: func() float64 { return 1 },
	}
	if g.settling != nil {
		o.Journal = attended{g.j, g}
	}
	var err error
	if g.r, err = New(o, g.specs, g.sinks, progress); err != nil {
		g.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	abort, giveUp := context.WithCancel(context.Background())
	done := make(chan error, 1)
	r := g.r
	go func() { done <- r.Run(ctx, abort) }()
	g.stop = func() {
		cancel()
		kill := time.AfterFunc(time.Minute, giveUp)
		defer kill.Stop()
		defer giveUp()
		if err := <-done; err != nil {
			g.t.Errorf("run: %v", err)
		}
		g.stop = nil
	}
}

// restart stops and runs again over the same directory.
func (g *rig) restart() {
	g.t.Helper()
	g.stop()
	if err := g.j.Close(); err != nil {
		g.t.Fatal(err)
	}
	g.openJournal()
	g.run()
}

// accept stores bodies as one batch.
func (g *rig) accept(bodies ...any) {
	g.t.Helper()
	a := journal.Append{Source: src}
	for _, b := range bodies {
		raw, err := format.AppendJSON(nil, b)
		if err != nil {
			g.t.Fatal(err)
		}
		now := utcNow()
		a.Records = append(a.Records, journal.Record{
			ID: journal.NewID(now), Time: now,
			Payload: journal.Payload{ContentType: "application/json", Raw: raw},
		})
	}
	if _, err := g.j.Append(g.t.Context(), a); err != nil {
		g.t.Fatal(err)
	}
}

// settle lets everything happen that happens within d.
func settle(d time.Duration) {
	time.Sleep(d) // virtual: in a bubble
	synctest.Wait()
}

func (g *rig) stats() journal.Stats {
	g.t.Helper()
	s, err := g.j.Stats(g.t.Context())
	if err != nil {
		g.t.Fatal(err)
	}
	return s
}

// wantFlow checks a flow's counts.
func (g *rig) wantFlow(want journal.FlowStats) {
	g.t.Helper()
	for _, f := range g.stats().Flows {
		if f.Flow == want.Flow {
			if f != want {
				g.t.Errorf("counts of %s:\n got %+v\nwant %+v", f.Flow, f, want)
			}
			return
		}
	}
	g.t.Errorf("no counts of %s", want.Flow)
}

func (g *rig) exceptions(q journal.ExceptionQuery) []journal.Exception {
	g.t.Helper()
	list, err := g.j.Exceptions(g.t.Context(), q)
	if err != nil {
		g.t.Fatal(err)
	}
	return list
}

// fake is a sink that keeps what it was given.
type fake struct {
	mu  sync.Mutex
	got []attempt
	// react decides about a delivery; nil: it succeeds at once.
	react func(ctx context.Context, d component.Delivery) error
}

type attempt struct {
	id   string
	body any
	at   time.Time
	ok   bool
}

func (f *fake) Deliver(ctx context.Context, ds []component.Delivery) component.Result {
	f.mu.Lock()
	react := f.react
	f.mu.Unlock()
	var err error
	if react != nil {
		err = react(ctx, ds[0])
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.got = append(f.got, attempt{ds[0].ID, ds[0].Event.Body, time.Now(), err == nil})
	return component.Result{Errors: []error{err}}
}

// set changes what it does from the next delivery on.
func (f *fake) set(react func(context.Context, component.Delivery) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.react = react
}

// bodies are what was delivered, in order of arrival.
func (f *fake) bodies() []any {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []any
	for _, a := range f.got {
		if a.ok {
			out = append(out, a.body)
		}
	}
	return out
}

func (f *fake) attempts() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.got)
}

// stepFunc is a step as a function.
type stepFunc func(e *component.Event) ([]*component.Event, error)

func (s stepFunc) Apply(_ context.Context, e *component.Event) ([]*component.Event, error) {
	return s(e)
}

var (
	errDown = errors.New("503")
	split   = Apply{"split", stepFunc(func(e *component.Event) ([]*component.Event, error) {
		var out []*component.Event
		for i, b := range e.Body.([]any) {
			out = append(out, e.Child(i, b))
		}
		return out, nil
	})}
)

func send(a component.Address) Send { return Send{Sink: a} }

func numbers(from, to int) []any {
	var out []any
	for n := from; n <= to; n++ {
		out = append(out, int64(n))
	}
	return out
}

func wantBodies(t *testing.T, got []any, want ...any) {
	t.Helper()
	if fmt.Sprint(got...) != fmt.Sprint(want...) {
		t.Errorf("delivered %v, want %v", got, want)
	}
}

func sorted(list []any) []any {
	return slices.SortedFunc(slices.Values(list), func(a, b any) int {
		return int(a.(int64) - b.(int64))
	})
}

func counts(f *fake) map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := map[string]int{}
	for _, a := range f.got {
		m[a.id]++
	}
	return maps.Clone(m)
}
