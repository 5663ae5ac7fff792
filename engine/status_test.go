package engine

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/component"
)

const threeFlows = `
source "fake" "a" { description = "orders" }
source "fake" "off" { enabled = false }
sink "fake" "s" {}
sink "fake" "t" {}
flow "f" {
  description = "all of them"
  from        = source.fake.a
  to          = [sink.fake.s, sink.fake.t]
}
flow "idle" {
  from = source.fake.off
  to   = sink.fake.s
}
`

// What has gone from the configuration is still shown with what it left, and the
// sums hold.
func TestStatusAcrossConfigurations(t *testing.T) {
	w := newWorld(t)
	w.run["source.fake.a"] = accept(map[string]any{"n": int64(1)}, map[string]any{"n": int64(2)})
	w.deliver["sink.fake.t"] = func(_ context.Context, d component.Delivery) error {
		if d.Event.Body.(map[string]any)["n"] == int64(1) {
			return component.Permanent(errors.New("no such order"))
		}
		return nil
	}
	r := w.start(threeFlows)
	s := w.until(r, "all settled", func(s admin.Status) bool { return s.Flows[0].Accepted == 2 && s.Flows[0].Pending == 0 })
	compare := func(s admin.Status, sources []admin.SourceStatus, flows []admin.FlowStatus, lanes []admin.LaneStatus) {
		t.Helper()
		want := admin.Status{Sources: sources, Flows: flows, Lanes: lanes}
		got := admin.Status{Sources: s.Sources, Flows: s.Flows, Lanes: s.Lanes}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(admin.SourceStatus{}, "LastEvent"), cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	}
	sources := []admin.SourceStatus{
		{Address: "source.fake.a", Description: "orders", State: admin.Running, Accepted: 2},
		{Address: "source.fake.off", State: admin.Disabled},
	}
	compare(s, sources,
		[]admin.FlowStatus{
			{Address: "flow.f", Description: "all of them", State: admin.Running, Accepted: 2, Delivered: 1, Dead: 1},
			{Address: "flow.idle", State: admin.Running},
		},
		[]admin.LaneStatus{
			{Flow: "flow.f", Sink: "sink.fake.s", State: admin.Running},
			{Flow: "flow.f", Sink: "sink.fake.t", State: admin.Running, Dead: 1},
			{Flow: "flow.idle", Sink: "sink.fake.s", State: admin.Running},
		})
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}

	delete(w.run, "source.fake.a")
	r = w.start(strings.ReplaceAll(threeFlows, "[sink.fake.s, sink.fake.t]", "sink.fake.s"))
	if s, _ = r.Status(t.Context()); s.Lanes[1].State != admin.Orphaned || s.Lanes[1].Dead != 1 || s.Flows[0].Dead != 1 {
		t.Errorf("with the sink gone: %+v %+v", s.Flows, s.Lanes)
	}
	var problem *admin.Problem
	if err := r.DropLane(t.Context(), "flow.f", "sink.fake.s"); !errors.As(err, &problem) || problem.Status != 409 {
		t.Errorf("dropping a lane in use: %v", err)
	}
	out, err := r.Retry(t.Context(), admin.Selection{All: true})
	if err != nil || out.Done != 0 || len(out.Failed) != 1 || strings.Contains(out.Failed[0].Error, "in use") {
		t.Errorf("retry on a lane that has gone: %+v %v", out, err)
	}
	if err := r.DropLane(t.Context(), "flow.f", "sink.fake.t"); err != nil {
		t.Fatal(err)
	}
	s, _ = r.Status(t.Context())
	if f := s.Flows[0]; f.Accepted != 2 || f.Delivered != 1 || f.Dropped != 1 || len(s.Lanes) != 2 {
		t.Errorf("after lane drop: %+v %+v", s.Flows, s.Lanes)
	}
}

// A delivery that waits for its retry says why, also after a restart.
func TestStatusSaysWhatIsWaitedFor(t *testing.T) {
	w := newWorld(t)
	w.run["source.fake.a"] = accept(map[string]any{"n": int64(1)})
	var calls atomic.Int32
	w.deliver["sink.fake.s"] = func(ctx context.Context, _ component.Delivery) error {
		if calls.Add(1) == 1 {
			return errors.New("table is locked")
		}
		<-ctx.Done() // the retry after the restart
		return ctx.Err()
	}
	const conf = `
source "fake" "a" {}
sink "fake" "s" {
  retry { initial = "1h" }
}
flow "f" {
  from = source.fake.a
  to   = sink.fake.s
}
`
	r := w.start(conf)
	waits := func(s admin.Status) bool {
		return len(s.Lanes) == 1 && s.Lanes[0].Waiting == 1 && s.Lanes[0].LastError == "table is locked"
	}
	w.until(r, "the lane says why", waits)
	s, _ := r.Status(t.Context())
	if f := s.Flows[0]; f.Accepted != 1 || f.Pending != 1 {
		t.Errorf("%+v", f)
	}
}

// What no source takes is counted by its listener, durably.
func TestStatusCountsWhatNoSourceTakes(t *testing.T) {
	const conf = `listener "http" "in" { address = "127.0.0.1:0" }`
	w := newWorld(t)
	r := w.start(conf)
	for range 3 {
		res, err := http.Get("http://" + r.Listeners[0].Addr.String() + "/nowhere")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
	}
	http.DefaultClient.CloseIdleConnections()
	want := admin.ListenerStatus{Address: "listener.http.in", Listen: r.Listeners[0].Addr.String(), Refused: 3}
	s, err := r.Status(t.Context())
	if err != nil || len(s.Listeners) != 1 || s.Listeners[0] != want {
		t.Errorf("got %+v, %v; want %+v", s.Listeners, err, want)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if s, err = w.start(conf).Status(t.Context()); err != nil || s.Listeners[0].Refused != 3 || len(s.Sources) != 0 {
		t.Errorf("after a restart: %+v %+v, %v", s.Listeners, s.Sources, err)
	}
}
