// Package engine is the running whole: it opens what a configuration declares,
// runs it, and stops it in order. It knows kinds only through the configuration
// that it is given.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/flow"
	"github.com/syncd/syncd/engine/journal"
)

// Options is what the daemon is told beside its configuration.
type Options struct {
	Log     *slog.Logger
	Version string
	Config  string // the path it was read from, for status
	// Ready is called once everything is open and running.
	Ready func(Ready)
}

// Run runs the configuration until ctx ends and all is drained, for at most
// shutdown_grace. An error before Ready says what could not be opened.
func Run(ctx context.Context, cfg *config.Config, o Options) (err error) {
	e := &engine{
		o: o, cfg: cfg, log: o.Log, started: now(),
		bodies:  semaphore.NewWeighted(int64(cfg.Daemon.MaxInFlight)),
		reading: semaphore.NewWeighted(lettersAtOnce), letters: semaphore.NewWeighted(lettersRoom),
	}
	defer func() { err = errors.Join(err, e.close()) }()
	if err := e.open(ctx); err != nil {
		return err
	}
	return e.run(ctx)
}

// now is the clock of stored timestamps.
func now() time.Time { return time.Now().UTC() }

// open opens everything, from the journal outwards; nothing runs yet.
func (e *engine) open(ctx context.Context) error {
	dir, err := filepath.Abs(e.cfg.Daemon.StateDir)
	if err != nil {
		return fmt.Errorf("find state_dir: %w", err)
	}
	e.dir = dir
	j := e.cfg.Daemon.Journal
	db, err := journal.Open(dir, journal.Options{
		Now: now, Log: e.log, MaxSize: int64(j.MaxSize), Retention: j.Retention,
	})
	if err != nil {
		return err
	}
	e.journal = db
	if e.socket, err = admin.Listen(admin.SocketPath(dir)); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{e.openListeners, e.openComponents, e.openFlows, e.openSources} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// openFlows makes the journal and the runner go on with the flows of the configuration.
func (e *engine) openFlows(ctx context.Context) error {
	specs, topology, err := e.programs()
	if err != nil {
		return err
	}
	progress, err := e.journal.Configure(ctx, topology)
	if err != nil {
		return fmt.Errorf("set up flows in the journal: %w", err)
	}
	e.runner, err = flow.New(flow.Options{
		Journal: e.journal, Log: e.log, Now: now, Jitter: rand.Float64,
	}, specs, e.sinks, progress)
	return err
}

// run starts everything from the sinks towards the sources, and stops it the
// other way round.
func (e *engine) run(ctx context.Context) error {
	abort, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	// Each part stops when its context ends; what feeds it has then stopped.
	intake, stopIntake := context.WithCancel(ctx)
	defer stopIntake()
	flows, stopFlows := context.WithCancel(abort)
	defer stopFlows()
	api, stopAPI := context.WithCancel(abort)
	defer stopAPI()

	ended := e.runFlows(flows, abort, stopIntake)
	var inner, outer errgroup.Group
	socket := e.socket
	e.socket = nil // Serve closes it
	inner.Go(func() error { return admin.Serve(api, socket, e, e.log) })
	e.runSources(intake, &outer)
	e.serve(&outer, stopIntake)
	if e.o.Ready != nil {
		e.o.Ready(e.ready())
	}
	debug.FreeOSMemory() // reading the configuration took some that is not needed again

	<-intake.Done()
	e.log.Info("draining", "shutdown_grace", e.cfg.Daemon.ShutdownGrace)
	grace := time.AfterFunc(e.cfg.Daemon.ShutdownGrace, giveUp)
	defer grace.Stop()
	e.stopListeners(abort)
	err := outer.Wait()
	stopFlows()
	err = errors.Join(err, <-ended)
	if abort.Err() != nil {
		e.log.Warn("shutdown_grace is over: what was under way was given up; deliveries come again at the next start")
	}
	stopAPI()
	err = errors.Join(err, inner.Wait())
	e.log.Info("stopped")
	return err
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

// serve lets the listeners answer. One that fails ends the daemon.
func (e *engine) serve(group *errgroup.Group, stopIntake func()) {
	for _, l := range e.listeners {
		group.Go(func() error {
			err := l.Serve()
			if err != nil {
				stopIntake()
			}
			return err
		})
	}
}

// stopListeners frees all ports at once, and returns when the requests that have
// begun are over.
func (e *engine) stopListeners(abort context.Context) {
	var group sync.WaitGroup
	for addr, l := range e.listeners {
		group.Go(func() {
			if l.Shutdown(abort) != nil {
				e.log.Warn("shutdown_grace is over: requests were cut off", "listener", addr)
			}
		})
	}
	group.Wait()
}
