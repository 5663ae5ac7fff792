package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/sync/errgroup"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/intake"
)

// source is a source that runs.
type source struct {
	component.Source
	*config.Component
	in      *intake.Intake
	failure atomic.Pointer[string] // why it does not run now
}

// openSources opens the sources that are enabled and puts their routes on the listeners.
func (e *engine) openSources(context.Context) error {
	routes := map[component.Address][]component.Route{}
	for _, c := range e.cfg.Sources {
		if !c.Source.Enabled {
			continue
		}
		in, err := intake.New(intake.Options{Source: c.Address, Common: c.Source, Journal: e.journal, Now: now})
		if err != nil {
			return fmt.Errorf("%s: %w", c.Place, err)
		}
		opened, err := e.openOne(c)
		if err != nil {
			return err
		}
		s := &source{Source: opened.(component.Source), Component: c, in: in}
		e.sources = append(e.sources, s)
		if m, ok := opened.(component.Mounter); ok {
			listener, r := m.Mount(in)
			routes[listener.Address] = append(routes[listener.Address], r...)
			for _, route := range r {
				e.mounted = append(e.mounted, Mounted{Source: c.Address, Listener: listener.Address, Methods: route.Methods, Path: route.Path})
			}
		}
	}
	for addr, r := range routes {
		l := e.listeners[addr]
		if l == nil {
			return fmt.Errorf("mount routes: no listener %s", addr)
		}
		if err := l.Swap(r); err != nil {
			return err
		}
	}
	return nil
}

// runSources runs every source until ctx ends, again and again with backoff.
func (e *engine) runSources(ctx context.Context, group *errgroup.Group) {
	for _, s := range e.sources {
		group.Go(func() error {
			e.supervise(ctx, s)
			return nil
		})
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
