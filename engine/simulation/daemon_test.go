package simulation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/flow"
	"github.com/syncd/syncd/engine/journal"
)

// daemon is one run of the program, from its start to its stop or crash.
type daemon struct {
	w        *world
	number   int // 1 for the first
	db       *journal.SQLite
	journal  journal.Journal // db, with what watches it and the planted fault around it
	topology atomic.Pointer[journal.Topology]
	runner   *flow.Runner
	flows    map[string]compiled // by name
	sinks    map[component.Address]*flow.Sink
	stood    atomic.Pointer[[]journal.Progress] // what the journal told at the last reload
	open     map[component.Address]*atomic.Bool // tells of each sink that it has been closed
	retired  <-chan struct{}                    // closed when what the reloads replaced is over
	stop     context.CancelFunc
	abort    context.CancelFunc
	done     chan error
	dead     atomic.Bool
	doom     atomic.Int32 // what the next commit brings
	over     bool         // it has been stopped
}

// What the next commit may bring.
const (
	noDoom int32 = iota
	crashBefore
	crashAfter
)

// retryMax is the longest pause between two attempts of a delivery.
const retryMax = 3 * time.Second

var errCrashed = errors.New("the daemon has crashed")

func (in *daemon) alive() bool { return !in.dead.Load() }

func (in *daemon) trace(format string, args ...any) {
	if in.alive() {
		in.w.trace(format, args...)
	}
}

// beforeCommit and afterCommit stand in for the disk.
func (in *daemon) beforeCommit() error {
	if in.doom.CompareAndSwap(crashBefore, noDoom) {
		in.trace("crash before a commit")
		in.dead.Store(true)
	}
	if !in.alive() {
		return errCrashed
	}
	return in.w.trouble.now()
}

func (in *daemon) afterCommit() error {
	if in.doom.CompareAndSwap(crashAfter, noDoom) {
		in.trace("crash after a commit")
		in.dead.Store(true)
	}
	if !in.alive() {
		return errCrashed
	}
	return nil
}

// sink is a daemon's access to t, until it is closed.
func (in *daemon) sink(t *peer, closed *atomic.Bool) *flow.Sink {
	var common component.SinkCommon
	common.SetDefaults()
	common.Concurrency, common.Timeout = t.plan.concurrency, t.plan.timeout
	common.Retry = component.Retry{For: t.plan.retryFor, Initial: t.plan.initial, Max: retryMax}
	common.Expires = t.plan.expires
	common.Breaker = component.Breaker{Failures: t.plan.failures, Pause: 2 * time.Second}
	var s component.Sink = plainSink{t, in, closed}
	switch t.plan.kind {
	case file:
		s = &fileSink{t: t, in: in, closed: closed}
	case batched:
		s = batchSink{plainSink{t, in, closed}}
	}
	return flow.NewSink(component.Address(t.plan.address), in.w.fault.sink(s), common)
}

// start runs the daemon, again and again if it crashes on the way.
func (w *world) start() error {
	for w.failed() == nil {
		in, err := w.launch()
		switch {
		case err == nil:
			w.daemon = in
			return nil
		case in == nil:
			return err
		}
		in.release()
		if in.alive() {
			return err
		}
	}
	return nil
}

// launch opens the journal, compares it with what the sources know, and runs the
// flows.
func (w *world) launch() (*daemon, error) {
	w.daemons++
	w.trouble.begin(nil, 0)
	in := &daemon{w: w, number: w.daemons, done: make(chan error, 1)}
	db, err := journal.Open(w.dir, journal.Options{
		Now: w.wall, Log: discard, Retention: w.retention(), Ballast: -1, Blob: w.blob(),
		Hooks: journal.Hooks{BeforeCommit: in.beforeCommit, AfterCommit: in.afterCommit},
	})
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	in.db = db
	in.journal = &witness{Journal: w.fault.journal(db), in: in}
	if w.seed.chance(5, "crash at start", w.daemons) {
		in.doom.Store(crashBefore + int32(w.daemons%2))
	}
	w.reconcile(in)
	if err := in.run(); err != nil {
		return in, err
	}
	return in, nil
}

// retention is mostly so long that all is kept to the end.
func (w *world) retention() time.Duration {
	if w.seed.chance(20, "short retention") {
		w.purges = true
		return w.seed.between(time.Second, time.Minute, "retention")
	}
	return 10_000 * time.Hour
}

// blob is now and then so little that every payload is a file beside the database.
func (w *world) blob() int {
	if w.seed.chance(5, "blobs") {
		return 1
	}
	return 0
}

func (in *daemon) run() error {
	w := in.w
	in.flows = map[string]compiled{}
	specs, topology, err := w.plan.programs(w.seed, w.version, in.flows)
	if err != nil {
		return fmt.Errorf("compile: %w", err)
	}
	progress, err := in.journal.Configure(context.Background(), topology)
	if err != nil {
		return fmt.Errorf("configure: %w", err)
	}
	w.begins(progress)
	in.sinks, in.open = map[component.Address]*flow.Sink{}, map[component.Address]*atomic.Bool{}
	for _, t := range w.peers {
		addr := component.Address(t.plan.address)
		in.open[addr] = &atomic.Bool{}
		in.sinks[addr] = in.sink(t, in.open[addr])
	}
	in.topology.Store(&topology)
	o := flow.Options{Journal: in.journal, Progress: in.progress, Log: discard, Now: w.wall, Jitter: w.jitter}
	if in.runner, err = flow.New(o, specs, in.sinks, progress); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	abort, giveUp := context.WithCancel(context.Background())
	in.stop, in.abort = stop, giveUp
	in.trace("daemon %d runs", in.number)
	go func() { in.done <- in.runner.Run(ctx, abort) }()
	return nil
}

// progress is how far a lane that is configured has come.
func (in *daemon) progress(ctx context.Context, l journal.Lane) ([]journal.Progress, error) {
	list, err := in.journal.Configure(ctx, *in.topology.Load())
	if f := in.w.fault; f != nil && f.stale && err == nil {
		list = slices.Clone(*in.stood.Load())
	}
	list = slices.DeleteFunc(list, func(p journal.Progress) bool { return p.Lane != l })
	if err == nil && len(list) == 0 {
		err = journal.ErrNotFound
	}
	return list, err
}

// jitter depends on the moment only: lanes that ask at different moments get
// different numbers, whoever asks first.
func (w *world) jitter() float64 {
	return float64(w.seed.pick(1<<20, "jitter", int(time.Since(w.began)))) / (1 << 20)
}

// shut stops the daemon in good order, deliveries that take too long aside. It
// reports whether it ended that way, without a crash.
func (in *daemon) shut(grace time.Duration) bool {
	in.stop()
	limit := time.AfterFunc(grace, in.abort)
	defer limit.Stop()
	in.await()
	in.abort()
	if err := in.db.Close(); err != nil && in.alive() {
		in.w.fail("close journal: %v", err)
	}
	return in.alive()
}

// crash ends the daemon as a kill would: nothing that it does from now on counts.
func (in *daemon) crash() {
	in.dead.Store(true)
	if in.over {
		return
	}
	in.stop()
	in.abort()
	in.await()
	in.release()
}

// release gives the directory free without a clean end.
func (in *daemon) release() { in.db.Abandon() }

// await returns when the flows have ended.
func (in *daemon) await() {
	in.over = true
	if err := <-in.done; err != nil && in.alive() {
		in.w.fail("run flows: %v", err)
	}
}
