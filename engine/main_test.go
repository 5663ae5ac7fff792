package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is what the components of a test do, and what became of them.
type world struct {
	t   *testing.T
	dir string

	// run is each source's Run, deliver each sink's Deliver, by address.
	run     map[component.Address]func(context.Context, component.Intake) error
	deliver map[component.Address]func(context.Context, component.Delivery) error
	broken  component.Address // cannot be opened
	opening func(component.Address)
	change  func(*Options) // of those that engines get
	extra   []component.Kind

	mu     sync.Mutex
	events []string // in order: "open sink.fake.a", "close sink.fake.a"
}

func newWorld(t *testing.T) *world {
	return &world{
		t: t, dir: t.TempDir(),
		run:     map[component.Address]func(context.Context, component.Intake) error{},
		deliver: map[component.Address]func(context.Context, component.Delivery) error{},
	}
}

func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, fmt.Sprintf(format, args...))
}

func (w *world) noted() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.events)
}

// fake is a source, sink or connection.
type fake struct {
	*world
	addr component.Address
}

type fakeConfig struct {
	Counts string `hcl:"counts,identity" doc:"What its checkpoint is about."`
}

func (f *fake) Run(ctx context.Context, in component.Intake) error {
	if run := f.run[f.addr]; run != nil {
		return run(ctx, in)
	}
	<-ctx.Done()
	return nil
}

func (f *fake) Deliver(ctx context.Context, ds []component.Delivery) component.Result {
	errs := make([]error, len(ds))
	for i, d := range ds {
		if deliver := f.deliver[f.addr]; deliver != nil {
			errs[i] = deliver(ctx, d)
		}
	}
	return component.Result{Errors: errs}
}

func (f *fake) Close() error {
	f.note("close %s", f.addr)
	return nil
}

func (w *world) kinds() []component.Kind {
	none := func() *fakeConfig { return &fakeConfig{} }
	open := func(env component.Env) (*fake, error) {
		if env.Address == w.broken {
			return nil, errors.New("it is broken")
		}
		if w.opening != nil {
			w.opening(env.Address)
		}
		w.note("open %s", env.Address)
		return &fake{w, env.Address}, nil
	}
	return append([]component.Kind{
		component.SourceKind("fake", "For tests.", none, func(env component.Env, _ *fakeConfig) (component.Source, error) { return open(env) }),
		component.SinkKind("fake", "For tests.", none, func(env component.Env, _ *fakeConfig) (component.Sink, error) { return open(env) }),
		component.ConnectionKind("fake", "For tests.", none, func(env component.Env, _ *fakeConfig) (*fake, error) { return open(env) }),
	}, w.extra...)
}

// load reads a configuration whose state is in the world's directory.
func (w *world) load(text string) *config.Reading {
	w.t.Helper()
	w.write(text)
	r := w.options().Read(w.path())
	if r.Config == nil {
		w.t.Fatalf("load: %v", r.Diagnostics)
	}
	return r
}

func (w *world) path() string { return filepath.Join(w.dir, "conf.hcl") }

// write makes text the configuration on disk.
func (w *world) write(text string) {
	w.t.Helper()
	head := fmt.Sprintf("daemon { state_dir = %q }\n", filepath.Join(w.dir, "state"))
	if strings.Contains(text, "daemon {") {
		head = ""
	}
	if err := os.WriteFile(w.path(), []byte(head+text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// options are those of an engine that logs nothing, unless changed.
func (w *world) options() Options {
	o := Options{
		Log: slog.New(slog.DiscardHandler), Version: "test", Config: w.path(),
		Read:      func(path string) *config.Reading { return config.Open(path, w.kinds(), config.Options{}) },
		ReadTexts: func(texts []config.Text) *config.Reading { return config.OpenTexts(texts, w.kinds(), config.Options{}) },
	}
	if w.change != nil {
		w.change(&o)
	}
	return o
}

// running is an engine between its Ready and its end.
type running struct {
	Ready
	*admin.Client
	stop func() error
}

// start runs the configuration until stop is called.
func (w *world) start(text string) *running {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	ready, ended := make(chan Ready, 1), make(chan error, 1)
	reading, o := w.load(text), w.options()
	o.Ready = func(r Ready) { ready <- r }
	go func() { ended <- Run(ctx, reading, o) }()
	r := &running{}
	select {
	case r.Ready = <-ready:
	case err := <-ended:
		cancel()
		w.t.Fatalf("it ended before it was ready: %v", err)
	}
	var err error
	if r.Client, err = admin.Dial(ctx, admin.Places(r.Socket, "")); err != nil {
		w.t.Fatal(err)
	}
	r.stop = sync.OnceValue(func() error {
		r.Client.Close()
		cancel()
		return <-ended
	})
	w.t.Cleanup(func() {
		if err := r.stop(); err != nil {
			w.t.Errorf("it ended with %v", err)
		}
	})
	return r
}

// until asks for the status until it is as wanted; what changes it is on its way.
func (w *world) until(r *running, what string, is func(admin.Status) bool) admin.Status {
	w.t.Helper()
	deadline := time.After(20 * time.Second)
	for tick := time.NewTicker(5 * time.Millisecond); ; {
		s, err := r.Status(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		if is(s) {
			tick.Stop()
			return s
		}
		select {
		case <-tick.C:
		case <-deadline:
			w.t.Fatalf("not in time: %s: %+v", what, s)
		}
	}
}

// accept brings bodies in, then waits for the end.
func accept(bodies ...any) func(context.Context, component.Intake) error {
	return func(ctx context.Context, in component.Intake) error {
		var b component.Batch
		for _, body := range bodies {
			b.Drafts = append(b.Drafts, component.Draft{Body: body})
		}
		if _, err := in.Accept(ctx, b); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	}
}
