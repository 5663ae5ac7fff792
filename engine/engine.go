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
		bodies: semaphore.NewWeighted(int64(cfg.Daemon.MaxInFlight)),
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
	intake, stopIntake := context.WithCancelCause(ctx)
	defer stopIntake(nil)
	flows, stopFlows := context.WithCancel(abort)
	defer stopFlows()
	api, stopAPI := context.WithCancel(abort)
	defer stopAPI()

	var inner, outer errgroup.Group
	socket := e.socket
	e.socket = nil // Serve closes it
	inner.Go(func() error { return admin.Serve(api, socket, e, e.log) })
	flowing := make(chan error, 1)
	go func() { flowing <- e.runner.Run(flows, abort) }()
	e.runSources(intake, &outer)
	for _, l := range e.listeners {
		outer.Go(func() error {
			err := l.Serve()
			if err != nil {
				stopIntake(err)
			}
			return err
		})
	}
	if e.o.Ready != nil {
		e.o.Ready(e.ready())
	}
	debug.FreeOSMemory() // reading the configuration took some that is not needed again

	<-intake.Done()
	e.log.Info("draining", "shutdown_grace", e.cfg.Daemon.ShutdownGrace)
	grace := time.AfterFunc(e.cfg.Daemon.ShutdownGrace, giveUp)
	defer grace.Stop()
	for _, l := range e.listeners {
		if err := l.Shutdown(abort); err != nil {
			e.log.Warn("requests cut off at the end of shutdown_grace", "error", err)
		}
	}
	err := outer.Wait()
	stopFlows()
	err = errors.Join(err, <-flowing)
	if abort.Err() != nil {
		e.log.Warn("shutdown_grace is over: deliveries under way were given up and come again at the next start")
	}
	stopAPI()
	return errors.Join(err, inner.Wait())
}
