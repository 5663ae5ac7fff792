package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/syncd/syncd/engine/admin"
)

// TestMain also lets other programs start this one as syncd.
func TestMain(m *testing.M) {
	if args, ok := os.LookupEnv("SYNCD_TEST_ARGS"); ok {
		os.Exit(execute(strings.Fields(args), os.Stdin, os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}

// fake is a daemon with fixed answers; it remembers what it was asked to do.
type fake struct {
	mu               sync.Mutex
	status           admin.Status
	dead             []admin.DeadLetter
	retried, dropped []int64
	outcome          admin.Reload
	plan             admin.Plan
	generations      []admin.Generation // the newest first
	points           []admin.Checkpoint
	kept             []admin.Kept
	notes            []string
}

func (f *fake) Status(context.Context) (admin.Status, error) { return f.status, nil }

func (f *fake) Dead(_ context.Context, sel admin.Filter, after int64, limit int) ([]admin.DeadLetter, error) {
	var page []admin.DeadLetter
	for _, d := range f.dead {
		if d.ID > after && len(page) < limit && (sel.Flow == "" || sel.Flow == d.Flow) && (sel.Sink == "" || sel.Sink == d.Sink) {
			page = append(page, d)
		}
	}
	return page, nil
}

func (f *fake) DeadLetter(_ context.Context, id int64) (admin.DeadLetter, error) {
	for _, d := range f.dead {
		if d.ID == id {
			return d, nil
		}
	}
	return admin.DeadLetter{}, admin.ErrNotFound
}

func (f *fake) Retry(ctx context.Context, id int64) error {
	f.mu.Lock()
	f.retried = append(f.retried, id)
	f.mu.Unlock()
	_, err := f.DeadLetter(ctx, id)
	return err
}

func (f *fake) Drop(ctx context.Context, id int64) error {
	f.mu.Lock()
	f.dropped = append(f.dropped, id)
	f.mu.Unlock()
	_, err := f.DeadLetter(ctx, id)
	return err
}

func (f *fake) DropLane(_ context.Context, flow, sink string) error {
	if flow == "flow.old" && sink == "sink.http.erp" {
		return nil
	}
	return admin.ErrInUse
}

// serve runs the API of d and gives the flag that finds it.
func serve(t *testing.T, d admin.Daemon) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), admin.SocketName)
	l, err := admin.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- admin.Serve(ctx, l, d, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return "--socket=" + path
}

// syncd runs a command line.
func syncd(args ...string) (code int, stdout, stderr string) { return syncdWith("", args...) }

// syncdWith runs a command line that has something on its standard input.
func syncdWith(stdin string, args ...string) (code int, stdout, stderr string) {
	var out, errs strings.Builder
	code = execute(args, strings.NewReader(stdin), &out, &errs)
	return code, out.String(), errs.String()
}

// twoDead is a daemon with a dead letter of a lane and one of a step.
func twoDead() *fake {
	at := time.Now().Add(-3 * time.Minute).UTC()
	return &fake{dead: []admin.DeadLetter{
		{
			ID: 17, Event: "0193aa", Source: "source.webhook.orders", Flow: "flow.orders", Sink: "sink.http.erp",
			Error: "answered 422:\x1b[31m <no>", Attempts: 2, Time: at, Since: at.Add(-time.Hour), Accepted: at.Add(-2 * time.Hour),
			Place: "erp.hcl:3", Payload: json.RawMessage(`{"id":1}`),
			History: []admin.Failure{{Time: at.Add(-time.Hour), Error: "answered 503"}, {Time: at, Error: "answered 422"}},
		},
		{
			ID: 18, Event: "0193ab", Source: "source.webhook.orders", Flow: "flow.orders", Step: "filter",
			Error: "orders.hcl:14:20: body.total is nil", Attempts: 1, Time: at,
		},
	}}
}

func (f *fake) Reload(_ context.Context, o admin.ReloadOptions) (admin.Reload, error) {
	out := f.outcome
	if o.Confirm > 0 {
		by := time.Unix(0, 0).Add(o.Confirm)
		out.KeepBy = &by
	}
	return out, nil
}

func (f *fake) Keep(context.Context) error { return admin.ErrNothingToKeep }

func (f *fake) Plan(_ context.Context, path string) (admin.Plan, error) {
	p := f.plan
	if path != "" {
		p.Error = "planned for " + path
	}
	return p, nil
}

func (f *fake) Generations(context.Context) ([]admin.Generation, error) { return f.generations, nil }

func (f *fake) Generation(_ context.Context, number int64) (admin.Generation, error) {
	if number <= 0 {
		number += int64(len(f.generations))
	}
	for _, g := range f.generations {
		if g.Number == number {
			return g, nil
		}
	}
	return admin.Generation{}, admin.ErrNotFound
}

func (f *fake) Rollback(_ context.Context, number int64) (admin.Reload, error) {
	out := f.outcome
	out.Generation = number
	return out, nil
}
