package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/intake"
)

// source is a source that runs, or is about to.
type source struct {
	component.Source
	*config.Component
	in       *intake.Intake
	listener component.Address // that serves its routes
	routes   []component.Route
	failure  atomic.Pointer[string] // why it does not run now

	stop context.CancelFunc // nil: it does not run
	done chan struct{}
}

// launch runs the source until it is halted or the intake ends, again and again
// with backoff.
func (e *engine) launch(s *source) {
	ctx, stop := context.WithCancel(e.intake)
	s.stop, s.done = stop, make(chan struct{})
	done := s.done
	s.failure.Store(nil)
	e.outer.Go(func() error {
		defer close(done)
		e.supervise(ctx, s)
		return nil
	})
}

// halt stops the source; when it returns, the source has ended. A checkpoint then
// has no owner.
func (s *source) halt() {
	if s.stop != nil {
		s.stop()
		<-s.done
		s.stop = nil
	}
}

func (e *engine) supervise(ctx context.Context, s *source) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = time.Second, 5*time.Minute
	for {
		began := time.Now()
		err := s.once(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > pause.MaxInterval {
			pause.Reset()
		}
		wait := pause.NextBackOff()
		text := err.Error()
		s.failure.Store(&text)
		args := []any{"component", s.Address, "error", err, "in", wait.Round(time.Millisecond)}
		if p := (*panicError)(nil); errors.As(err, &p) {
			args = append(args, "stack", string(p.stack))
		}
		e.log.Error("source ended; it is run again", args...)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
			s.failure.Store(nil)
		}
	}
}

// panicError is a source's panic; the stack is for the log alone.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// once runs the source; a panic is its error.
func (s *source) once(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{p, debug.Stack()}
		}
	}()
	if err := s.Run(ctx, s.in); err != nil {
		return err
	}
	return errors.New("it ended by itself")
}

func (s *source) state() (state, lastError string) {
	if f := s.failure.Load(); f != nil {
		return admin.Failed, *f
	}
	return admin.Running, ""
}

// report adds what a source that works in runs has to tell.
func (s *source) report(to *admin.SourceStatus) {
	r, ok := s.Source.(component.Reporter)
	if !ok {
		return
	}
	is := r.Report()
	to.Note = is.Note
	if !is.Next.IsZero() {
		to.NextRun = &is.Next
	}
	if !is.Last.IsZero() {
		to.LastRun = &is.Last
	}
	if to.LastError == "" {
		to.LastError = is.Error
	}
}
