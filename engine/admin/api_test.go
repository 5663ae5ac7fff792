package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// start serves d on a socket of its own and gives a client of it.
func start(t *testing.T, d Daemon) (*Client, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), SocketName)
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, l, d, slog.New(slog.DiscardHandler)) }()
	c, err := Dial(t.Context(), Places(path, ""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return c, path
}

func TestStatus(t *testing.T) {
	last := time.Date(2026, 11, 2, 3, 4, 5, 0, time.UTC)
	want := Status{
		Version: "1.2.3", PID: 7, Started: last, Config: "/etc/syncd", StateDir: "/var/lib/syncd", NotAccepting: "disk full",
		Listeners: []ListenerStatus{{Address: "listener.http.in", Listen: "127.0.0.1:8080", Refused: 3}},
		Sources:   []SourceStatus{{Address: "source.webhook.a", State: Running, Accepted: 5, Refused: 1, LastEvent: &last}},
		Flows:     []FlowStatus{{Address: "flow.f", State: Running, Accepted: 5, Delivered: 3, Pending: 2}},
		Lanes:     []LaneStatus{{Flow: "flow.f", Sink: "sink.log.l", State: Stopped, Backlog: 2, LastError: "<no>", NextProbe: &last}},
	}
	c, _ := start(t, &fake{status: want})
	got, err := c.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// The names are a contract with scripts; so is [] for an empty list.
func TestShapes(t *testing.T) {
	at := time.Date(2026, 11, 2, 3, 4, 5, 0, time.UTC)
	for _, tc := range []struct {
		v    any
		want []string
	}{
		{SourceStatus{}, []string{"address", "accepted", "duplicates", "refused", "unrouted", "dead"}},
		{FlowStatus{}, []string{"address", "accepted", "delivered", "filtered", "dead", "dropped", "pending"}},
		{LaneStatus{}, []string{"flow", "sink", "state", "backlog", "last_error"}},
		{DeadLetter{Time: at}, []string{"id", "event", "source", "flow", "step", "sink", "error", "attempts", "time"}},
	} {
		b, err := json.Marshal(tc.v)
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		for _, name := range tc.want {
			if _, ok := m[name]; !ok {
				t.Errorf("%T has no %q: %s", tc.v, name, b)
			}
		}
	}
	b, _ := json.Marshal(Status{}.filled())
	for _, list := range []string{`"listeners":[]`, `"sources":[]`, `"flows":[]`, `"lanes":[]`} {
		if !strings.Contains(string(b), list) {
			t.Errorf("no %s in %s", list, b)
		}
	}
}

func letters(n int) []DeadLetter {
	var ds []DeadLetter
	for i := range n {
		ds = append(ds, DeadLetter{
			ID: int64(i + 1), Event: fmt.Sprintf("e%d", i), Flow: fmt.Sprintf("flow.f%d", i%2), Sink: "sink.log.l",
			Error: "a <b> & c", Attempts: 3, Time: time.Unix(int64(i), 0).UTC(),
		})
	}
	return ds
}

func TestDeadListStreamsPages(t *testing.T) {
	for _, n := range []int{0, 1, pageSize, 2*pageSize + 1} {
		want := letters(n)
		c, _ := start(t, &fake{dead: want})
		var got []DeadLetter
		for d, err := range c.Dead(t.Context(), Filter{}) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, d)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%d letters: %s", n, d)
		}
	}
}

func TestDeadListFilters(t *testing.T) {
	c, _ := start(t, &fake{dead: letters(10)})
	var got []int64
	for d, err := range c.Dead(t.Context(), Filter{Flow: "flow.f1"}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, d.ID)
	}
	if d := cmp.Diff([]int64{2, 4, 6, 8, 10}, got); d != "" {
		t.Error(d)
	}
}

// A list that breaks off must not look like a short list.
func TestDeadListBrokenOff(t *testing.T) {
	c, _ := start(t, &fake{dead: letters(2 * pageSize), failAfter: pageSize, failure: errors.New("disk on fire")})
	n, failed := 0, false
	for _, err := range c.Dead(t.Context(), Filter{}) {
		if err != nil {
			failed = true
			continue
		}
		n++
	}
	if !failed || n > pageSize {
		t.Errorf("%d letters, failed: %v", n, failed)
	}
}

func TestDeadListStoppedEarly(t *testing.T) {
	c, _ := start(t, &fake{dead: letters(3 * pageSize)})
	n := 0
	for range c.Dead(t.Context(), Filter{}) {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("got %d", n)
	}
}

func TestDeadLetter(t *testing.T) {
	want := letters(2)[1]
	want.Payload, want.History = json.RawMessage(`{"a":1}`), []Failure{{Time: want.Time, Error: "x"}}
	c, _ := start(t, &fake{dead: []DeadLetter{want}})
	got, err := c.DeadLetter(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	_, err = c.DeadLetter(t.Context(), 99)
	var p *Problem
	if !errors.As(err, &p) || p.Status != http.StatusNotFound {
		t.Errorf("unknown id: %v", err)
	}
}

func TestRetryAndDrop(t *testing.T) {
	d := &fake{dead: letters(2*pageSize + 7)}
	c, _ := start(t, d)
	out, err := c.Retry(t.Context(), Selection{IDs: []int64{1, 3, 999999}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Outcome{Done: 2, NotFound: []int64{999999}, Failed: []Refusal{}}, out); diff != "" {
		t.Error(diff)
	}
	out, err = c.Drop(t.Context(), Selection{All: true, Filter: Filter{Flow: "flow.f1"}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Outcome{Done: pageSize + 3, NotFound: []int64{}, Failed: []Refusal{}}, out); diff != "" {
		t.Error(diff)
	}
	slices.Sort(d.retried)
	if diff := cmp.Diff([]int64{1, 3}, d.retried); diff != "" {
		t.Error(diff)
	}
	if len(d.dead) != pageSize+2 || len(d.dropped) != pageSize+3 {
		t.Errorf("%d left, %d dropped", len(d.dead), len(d.dropped))
	}
}

// One that cannot be retried holds up nobody else; when nothing works, it ends.
func TestFailuresOfSingleOnes(t *testing.T) {
	d := &fake{dead: letters(10), refuse: func(id int64) bool { return id == 4 }}
	c, _ := start(t, d)
	out, err := c.Retry(t.Context(), Selection{All: true})
	if err != nil {
		t.Fatal(err)
	}
	want := Outcome{Done: 9, NotFound: []int64{}, Failed: []Refusal{{ID: 4, Error: "no running flow: " + ErrInUse.Error()}}}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Error(diff)
	}
	d.dead, d.refuse = letters(3*maxFailures), func(int64) bool { return true }
	if out, err = c.Retry(t.Context(), Selection{All: true}); err != nil {
		t.Fatal(err)
	}
	if n := len(out.Failed); n < maxFailures || n > maxFailures+actors || out.Done != 0 {
		t.Errorf("%d failed, %d done", n, out.Done)
	}
}

func TestSelectionsRefused(t *testing.T) {
	d := &fake{dead: letters(3)}
	c, _ := start(t, d)
	for _, s := range []Selection{
		{},
		{IDs: []int64{1}, All: true},
		{IDs: []int64{1}, Filter: Filter{Flow: "flow.f0"}},
		{Filter: Filter{Flow: "flow.f0"}},
	} {
		_, err := c.Drop(t.Context(), s)
		var p *Problem
		if !errors.As(err, &p) || p.Status != http.StatusBadRequest {
			t.Errorf("%+v: %v", s, err)
		}
	}
	if len(d.dropped) != 0 {
		t.Errorf("dropped %v", d.dropped)
	}
}

func TestDropLane(t *testing.T) {
	c, _ := start(t, &fake{lanes: map[[2]string]error{
		{"flow.old", "sink.log.l"}: nil,
		{"flow.new", "sink.log.l"}: fmt.Errorf("drop lane: %w", ErrInUse),
	}})
	if err := c.DropLane(t.Context(), "flow.old", "sink.log.l"); err != nil {
		t.Error(err)
	}
	for flow, status := range map[string]int{"flow.new": http.StatusConflict, "flow.none": http.StatusNotFound} {
		var p *Problem
		if err := c.DropLane(t.Context(), flow, "sink.log.l"); !errors.As(err, &p) || p.Status != status {
			t.Errorf("%s: %v", flow, err)
		}
	}
}

func TestDaemonErrorIsAProblem(t *testing.T) {
	c, _ := start(t, &fake{failure: errors.New("read journal: disk I/O error")})
	_, err := c.Status(t.Context())
	var p *Problem
	if !errors.As(err, &p) || p.Status != 500 || p.Detail != "read journal: disk I/O error" {
		t.Errorf("got %#v", err)
	}
}
