package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/flow"
	"github.com/syncd/syncd/engine/journal"
)

// Sources stop first, then what the flows have begun is finished and settled, and
// only then is anything closed.
func TestOrderOfStop(t *testing.T) {
	w := newWorld(t)
	delivering, finish := make(chan struct{}), make(chan struct{})
	w.run["source.fake.a"] = func(ctx context.Context, in component.Intake) error {
		err := accept(map[string]any{"n": int64(1)})(ctx, in)
		w.note("source ended")
		close(finish)
		return err
	}
	w.deliver["sink.fake.s"] = func(context.Context, component.Delivery) error {
		close(delivering)
		<-finish
		w.note("delivered")
		return nil
	}
	const conf = `
source "fake" "a" {}
sink "fake" "s" {}
flow "f" {
  from = source.fake.a
  to   = sink.fake.s
}
`
	r := w.start(conf)
	<-delivering
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	want := []string{"open sink.fake.s", "open source.fake.a", "source ended", "delivered", "close source.fake.a", "close sink.fake.s"}
	if diff := cmp.Diff(want, w.noted()); diff != "" {
		t.Error(diff)
	}
	delete(w.run, "source.fake.a")
	s, err := w.start(conf).Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if f := s.Flows[0]; f.Accepted != 1 || f.Delivered != 1 {
		t.Errorf("the delivery was not settled: %+v", f)
	}
}

// Past shutdown_grace a sink that hangs is given up; its event comes again.
func TestStopGivesUp(t *testing.T) {
	w := newWorld(t)
	w.run["source.fake.a"] = accept(map[string]any{"n": int64(1)})
	delivering := make(chan struct{})
	w.deliver["sink.fake.s"] = func(ctx context.Context, _ component.Delivery) error {
		close(delivering)
		<-ctx.Done()
		return ctx.Err()
	}
	const flows = `
source "fake" "a" {}
sink "fake" "s" {}
flow "f" {
  from = source.fake.a
  to   = sink.fake.s
}
`
	r := w.load(flows)
	r.Config.Daemon.ShutdownGrace = 10 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-delivering; cancel() }()
	if err := Run(ctx, r, w.options()); err != nil {
		t.Fatal(err)
	}
	again := make(chan string, 1)
	w.deliver["sink.fake.s"] = func(_ context.Context, d component.Delivery) error {
		again <- d.Event.ID
		return nil
	}
	delete(w.run, "source.fake.a")
	running := w.start(flows)
	<-again
	w.until(running, "delivered", func(s admin.Status) bool { return s.Flows[0].Delivered == 1 && s.Flows[0].Accepted == 1 })
}

// failing is a journal whose exceptions cannot be read.
type failing struct{ journal.Journal }

func (failing) Exceptions(context.Context, journal.ExceptionQuery) ([]journal.Exception, error) {
	return nil, errors.New("disk gone")
}

// A daemon whose flows cannot run takes nothing in.
func TestFlowsThatEndStopTheDaemon(t *testing.T) {
	runner, err := flow.New(flow.Options{Journal: failing{}, Log: slog.New(slog.DiscardHandler), Now: now}, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	e := &engine{runner: runner}
	stopped := make(chan struct{})
	ended := e.runFlows(t.Context(), t.Context(), func() { close(stopped) })
	<-stopped
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "disk gone") {
		t.Errorf("ended with %v", err)
	}
	if e.flowing.Err() == nil {
		t.Error("the flows are still said to run")
	}
}

// Without flows there is nothing to run, which is no reason to stop.
func TestRunsWithoutFlows(t *testing.T) {
	runner, err := flow.New(flow.Options{Journal: none{}, Log: slog.New(slog.DiscardHandler), Now: now}, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	e := &engine{runner: runner}
	ctx, cancel := context.WithCancel(t.Context())
	ended := e.runFlows(ctx, t.Context(), func() { t.Error("it stops taking in") })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// none is a journal without exceptions.
type none struct{ journal.Journal }

func (none) Exceptions(context.Context, journal.ExceptionQuery) ([]journal.Exception, error) {
	return nil, nil
}

// A request that one listener still waits for keeps no other listener open.
func TestAllListenersStopAtOnce(t *testing.T) {
	w := newWorld(t)
	r := w.start(`
listener "http" "a" { address = "127.0.0.1:0" }
listener "http" "b" { address = "127.0.0.1:0" }
listener "http" "c" { address = "127.0.0.1:0" }
`)
	slow, err := net.Dial("tcp", r.Listeners[1].Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	fmt.Fprint(slow, "POST / HTTP/1.1\r\n") // a request that has begun
	stopped := make(chan error)
	go func() { stopped <- r.stop() }()
	for _, l := range r.Listeners {
		for refused := false; !refused; {
			c, err := net.Dial("tcp", l.Addr.String())
			if refused = err != nil; !refused {
				c.Close()
			}
		}
	}
	slow.Close()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
