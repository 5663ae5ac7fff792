package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/syncd/syncd/engine/flow"
)

// Manager is a service manager, such as systemd; see package notify.
type Manager interface {
	// Ready says that the daemon answers, after its start or after a reload.
	Ready(status string)
	// Reloading says that a reload begins; Ready ends it, whatever its outcome.
	Reloading(status string)
	// Stopping says that it ends, within that time.
	Stopping(status string, within time.Duration)
	// Keep shows signs of life while alive says so, and the status, until ctx ends.
	Keep(ctx context.Context, alive func(context.Context) error, status func(context.Context) string)
}

const (
	// stuckAfter is how long a lane may be at one step of one event: an expression
	// has a few seconds.
	stuckAfter = time.Minute
	// afterGrace is what closing everything may take when the grace is over.
	afterGrace = 15 * time.Second
)

// watched tells the manager that all is open, and from then on how it goes.
func (e *engine) watched(ctx, until context.Context, group *errgroup.Group) {
	if e.o.Manager == nil {
		return
	}
	e.o.Manager.Ready(e.statusLine(ctx))
	pulse := e.runner.Pulse()
	group.Go(func() error {
		e.o.Manager.Keep(until, func(ctx context.Context) error { return e.alive(ctx, pulse) }, func(c context.Context) string {
			if ctx.Err() != nil {
				return e.leavingLine()
			}
			return e.statusLine(c)
		})
		return nil
	})
}

// alive tells whether the journal's writer and the lanes move. Trouble that passes
// by itself, a full disk or a destination that is down, is no reason to restart.
func (e *engine) alive(ctx context.Context, pulse *flow.Pulse) error {
	if err := e.journal.Ping(ctx); err != nil {
		return err
	}
	if stuck := pulse.Stuck(time.Now(), stuckAfter); len(stuck) > 0 {
		return fmt.Errorf("for %s no step has ended on %s", stuckAfter, strings.Join(stuck, ", "))
	}
	return nil
}

func (e *engine) leaving() {
	if e.o.Manager != nil {
		e.o.Manager.Stopping(e.leavingLine(), e.settings().ShutdownGrace+afterGrace)
	}
}

func (e *engine) leavingLine() string {
	return fmt.Sprintf("stopping: takes nothing more in, finishes what has begun within %s", e.settings().ShutdownGrace)
}

// statusLine is the daemon in one line.
func (e *engine) statusLine(ctx context.Context) string {
	s, err := e.Status(ctx)
	if err != nil {
		return "running; the journal cannot be read: " + err.Error()
	}
	return s.Line()
}
