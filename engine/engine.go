// Package engine is the running whole: it opens what a configuration declares,
// runs it, takes its successor over without a gap, and stops it in order. It knows
// kinds only through the configuration that it is given.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/flow"
	"github.com/syncd/syncd/engine/journal"
	"github.com/syncd/syncd/engine/listen"
	"github.com/syncd/syncd/engine/plan"
)

// Options is what the daemon is told beside its configuration.
type Options struct {
	Log     *slog.Logger
	Version string
	Config  string // the path that configurations are read from
	// Read reads the configuration at a path as it is now, ReadTexts one that ran before.
	Read      func(path string) *config.Reading
	ReadTexts func([]config.Text) *config.Reading
	// SetLog makes the log follow a configuration; nil: it stays as it is.
	SetLog func(config.Log)
	// Sockets are those that systemd has handed over; nil: none.
	Sockets *listen.Sockets
	// Hangup has a token for each SIGHUP; nil: there are none.
	Hangup <-chan struct{}
	// Ready is called once everything is open and running.
	Ready func(Ready)
	// Manager is told how the daemon fares; nil: nobody is.
	Manager Manager
}

// engine is one run of the daemon.
type engine struct {
	o       Options
	log     *slog.Logger
	started time.Time
	dir     string // state directory, absolute

	journal *journal.SQLite
	socket  net.Listener
	runner  *flow.Runner
	flowing context.Context       // until the runner has ended
	graph   atomic.Pointer[graph] // the one that runs
	bodies  *semaphore.Weighted   // bytes of bodies being received, all sources together
	reading *semaphore.Weighted   // dead letters, for one to act upon
	letters *semaphore.Weighted   // bytes of dead letters that are being acted upon
	turns   turns                 // of connections that change what they keep

	spooling sync.Mutex // a spool file has its name

	intake     context.Context // ends when nothing more is to be taken in
	stopIntake context.CancelFunc
	abort      context.Context // ends when what is under way is given up
	outer      errgroup.Group  // listeners and sources
	retiring   sync.WaitGroup  // what earlier graphs have left

	quiet quiet
	reloads
}

// Run runs the configuration until ctx ends and all is drained, for at most
// shutdown_grace. An error before Ready says what could not be opened.
func Run(ctx context.Context, r *config.Reading, o Options) (err error) {
	daemon := r.Config.Daemon
	e := &engine{
		o: o, log: o.Log, started: now(), bodies: newBodies(daemon.MaxInFlight), quiet: newQuiet(giveBack),
		reading: semaphore.NewWeighted(lettersAtOnce), letters: semaphore.NewWeighted(lettersRoom),
		reloads: reloads{turn: make(chan struct{}, 1), originals: map[int64][]config.Text{}},
	}
	e.graph.Store(&graph{cfg: &config.Config{Daemon: daemon}})
	defer func() { err = errors.Join(err, e.close()) }()
	e.turn <- struct{}{} // until all runs, there is nothing to reload
	if err := e.open(ctx, r); err != nil {
		return err
	}
	return e.run(ctx, daemon)
}

// now is the clock of stored timestamps.
func now() time.Time { return time.Now().UTC() }

// open opens everything, from the journal outwards; nothing runs yet.
func (e *engine) open(ctx context.Context, r *config.Reading) error {
	dir, err := filepath.Abs(r.Config.Daemon.StateDir)
	if err != nil {
		return fmt.Errorf("find state_dir: %w", err)
	}
	e.dir = dir
	j := r.Config.Daemon.Journal
	e.journal, err = journal.Open(dir, journal.Options{
		Now: now, Log: e.log, MaxSize: int64(j.MaxSize), Retention: j.Retention, Committed: e.quiet.disturb,
	})
	if err != nil {
		e.journal = nil
		return err
	}
	if e.socket, err = admin.Listen(admin.SocketPath(dir)); err != nil {
		return err
	}
	return e.first(ctx, r)
}

// first makes the graph that the daemon starts with.
func (e *engine) first(ctx context.Context, files *config.Reading) error {
	r, err := e.pinned(ctx, files)
	if err != nil {
		return err
	}
	p := plan.Between(nil, r.Config)
	if err := e.sinceLastRun(ctx, r, p); err != nil {
		return err
	}
	a, err := e.assemble(ctx, r, e.graph.Load(), p, "start")
	if err != nil {
		return err
	}
	progress, err := e.configure(ctx, a, nil)
	if err != nil {
		return errors.Join(err, a.discard())
	}
	e.graph.Store(a.graph)
	a.apply()
	for _, unused := range e.o.Sockets.Unused() {
		e.log.Warn(unused)
	}
	e.runner, err = flow.New(flow.Options{
		Journal: e.journal, Progress: e.journal.Progress, Log: e.log, Now: now, Jitter: rand.Float64,
	}, a.graph.list(), a.graph.sinks, progress)
	return err
}

// apply lets the listeners serve what was prepared.
func (a *assembly) apply() {
	for _, change := range a.changes {
		change.Apply()
	}
}

// run starts everything from the sinks towards the sources, and stops it the
// other way round. The daemon has been set up as files say.
func (e *engine) run(ctx context.Context, files config.Daemon) error {
	abort, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	// Each part stops when its context ends; what feeds it has then stopped.
	e.abort = abort
	e.intake, e.stopIntake = context.WithCancel(ctx)
	defer e.stopIntake()
	flows, stopFlows := context.WithCancel(abort)
	defer stopFlows()
	api, stopAPI := context.WithCancel(abort)
	defer stopAPI()

	ended := e.runFlows(flows, abort, e.stopIntake)
	var inner errgroup.Group
	socket := e.socket
	e.socket = nil // Serve closes it
	inner.Go(func() error { return admin.Serve(api, socket, e, e.log) })
	g := e.graph.Load()
	for _, c := range g.cfg.Sources {
		if s := g.sources[c.Address]; s != nil {
			e.launch(s)
		}
	}
	for _, l := range g.listeners {
		e.serve(l)
	}
	follow := e.follow()
	e.adjust(files, e.settings())
	e.watched(ctx, api, &inner)
	e.endTurn()
	if e.o.Ready != nil {
		e.o.Ready(e.ready())
		e.o.Ready = nil // with the configuration that it may hold
	}
	inner.Go(func() error { e.quiet.watch(api); return nil })

	<-e.intake.Done()
	follow()
	grace := e.settings().ShutdownGrace
	e.log.Info("draining", "shutdown_grace", grace)
	e.leaving()
	timer := time.AfterFunc(grace, giveUp)
	defer timer.Stop()
	e.stopListeners(abort)
	err := e.outer.Wait()
	stopFlows()
	err = errors.Join(err, <-ended)
	if abort.Err() != nil {
		e.log.Warn("shutdown_grace is over: what was under way was given up; deliveries come again at the next start")
	}
	e.retiring.Wait()
	stopAPI()
	err = errors.Join(err, inner.Wait())
	e.log.Info("stopped")
	return err
}

// settings are those of the configuration that runs.
func (e *engine) settings() config.Daemon { return e.graph.Load().cfg.Daemon }

// close closes what is open, the last opened first.
func (e *engine) close() error {
	g := e.graph.Load()
	errs := []error{closeAll(g.opened)}
	for _, l := range g.listeners {
		errs = append(errs, l.Shutdown(context.Background()))
	}
	if e.socket != nil {
		errs = append(errs, e.socket.Close())
	}
	if e.journal != nil {
		errs = append(errs, e.journal.Close())
	}
	return errors.Join(errs...)
}

// runFlows runs the flows until ctx ends and what has begun is settled, or abort
// ends. When they cannot, nothing more is to be taken in.
func (e *engine) runFlows(ctx, abort context.Context, stopIntake func()) <-chan error {
	ended := make(chan error, 1)
	var over func()
	e.flowing, over = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		err := e.runner.Run(ctx, abort)
		over()
		if err != nil {
			stopIntake()
		}
		ended <- err
	}()
	return ended
}

// serve lets a listener answer. One that fails ends the daemon.
func (e *engine) serve(l *listen.Listener) {
	e.outer.Go(func() error {
		err := l.Serve()
		if err != nil {
			e.stopIntake()
		}
		return err
	})
}

// stopListeners frees all ports at once, and returns when the requests that have
// begun are over.
func (e *engine) stopListeners(abort context.Context) {
	var group sync.WaitGroup
	for addr, l := range e.graph.Load().listeners {
		group.Go(func() {
			if l.Shutdown(abort) != nil {
				e.log.Warn("shutdown_grace is over: requests were cut off", "listener", addr)
			}
		})
	}
	group.Wait()
}
