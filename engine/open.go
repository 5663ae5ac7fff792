package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/flow"
	"github.com/syncd/syncd/engine/journal"
	"github.com/syncd/syncd/engine/listen"
)

// engine is one run of a configuration.
type engine struct {
	o       Options
	cfg     *config.Config
	log     *slog.Logger
	started time.Time
	dir     string // state directory, absolute

	journal     *journal.SQLite
	socket      net.Listener
	listeners   map[component.Address]*listen.Listener
	connections map[component.Address]any
	sinks       map[component.Address]*flow.Sink
	sources     []*source
	mounted     []Mounted
	runner      *flow.Runner
	flowing     context.Context     // until the runner has ended
	bodies      *semaphore.Weighted // bytes of bodies being received, all sources together
	reading     *semaphore.Weighted // dead letters, for one to act upon
	letters     *semaphore.Weighted // bytes of dead letters that are being acted upon
	closers     []component.Closer  // in the order of opening
}

// close closes what is open, the last opened first.
func (e *engine) close() error {
	var errs []error
	for i := len(e.closers) - 1; i >= 0; i-- {
		errs = append(errs, e.closers[i].Close())
	}
	for _, l := range e.listeners {
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

func (e *engine) openListeners(context.Context) error {
	e.listeners = map[component.Address]*listen.Listener{}
	for _, c := range e.cfg.Listeners {
		lc := listen.Config{
			Name: string(c.Address), Address: c.Listen, TrustedProxies: c.TrustedProxies,
			Refused: func(n int) { e.journal.Refused(string(c.Address), n) },
		}
		if c.TLS != nil {
			lc.TLS = &listen.TLS{Cert: c.TLS.Cert, Key: c.TLS.Key, ClientCA: c.TLS.ClientCA}
		}
		l, err := listen.Open(lc, e.log.With("listener", c.Address))
		if err != nil {
			return err
		}
		e.listeners[c.Address] = l
	}
	return nil
}

// openComponents opens connections and sinks.
func (e *engine) openComponents(context.Context) error {
	e.connections = map[component.Address]any{}
	for _, c := range e.cfg.Connections {
		opened, err := e.openOne(c)
		if err != nil {
			return err
		}
		e.connections[c.Address] = opened
	}
	e.sinks = map[component.Address]*flow.Sink{}
	for _, c := range e.cfg.Sinks {
		opened, err := e.openOne(c)
		if err != nil {
			return err
		}
		e.sinks[c.Address] = flow.NewSink(c.Address, opened.(component.Sink), *c.Sink)
	}
	return nil
}

func (e *engine) openOne(c *config.Component) (any, error) {
	opened, err := c.Kind.Open(e.env(c.Address), c.Config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Place, err)
	}
	if closer, ok := opened.(component.Closer); ok {
		e.closers = append(e.closers, closer)
	}
	return opened, nil
}

// env is what the component at addr lives in.
func (e *engine) env(addr component.Address) component.Env {
	return component.Env{
		Address: addr,
		Log:     e.log.With("component", addr),
		Now:     now,
		State:   state{e.journal, string(addr)},
		Connection: func(r component.Ref) (any, error) {
			c, ok := e.connections[r.Address]
			if !ok {
				return nil, fmt.Errorf("%s is not open", r.Address)
			}
			return c, nil
		},
		InFlight: e.bodies,
	}
}

// state is a component's view of its keyed state.
type state struct {
	journal journal.Journal
	scope   string
}

func (s state) Get(ctx context.Context, key string, v any) (bool, error) {
	raw, ok, err := s.journal.Get(ctx, s.scope, key)
	if err != nil || !ok {
		return false, err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return false, fmt.Errorf("decode state %q of %s: %w", key, s.scope, err)
	}
	return true, nil
}
