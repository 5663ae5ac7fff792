package files

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/files"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/records"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// engine is what a sink lives in: it keeps the state that settlements commit, and
// gives no call before the last one's settlement.
type engine struct {
	t     *testing.T
	cfg   *Config
	state map[string]json.RawMessage
	clock time.Time
	sink  *sink
	next  int      // deliveries so far
	place files.FS // of the connection, if the configuration has one
	// crash is called before each thing that a crash could come before.
	crash func(op, path string) error
}

func newEngine(t *testing.T, cfg *Config) *engine { return newEngineAt(t, nil, cfg) }

// newEngineAt has its files at place; nil: on this machine.
func newEngineAt(t *testing.T, place files.FS, cfg *Config) *engine {
	if place != nil {
		cfg.Connection.Address = "connection.sftp.test"
	}
	e := &engine{t: t, cfg: cfg, place: place, state: map[string]json.RawMessage{}, clock: time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)}
	e.start()
	t.Cleanup(func() { e.sink.Close() })
	return e
}

// start is a fresh process on what is on disk. Timers are ticked by hand.
func (e *engine) start() {
	e.t.Helper()
	cfg := *e.cfg
	made, err := newSink(component.Env{
		Address: "sink.files.test", Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Now: func() time.Time { return e.clock }, State: e, Connection: func(component.Ref) (any, error) { return e.place, nil },
	}, &cfg)
	if err != nil {
		e.t.Fatal(err)
	}
	if e.sink != nil {
		e.sink.Close()
	}
	e.sink = made
	e.sink.fs = faulty{e.sink.fs, func(op, path string) error {
		if e.crash == nil {
			return nil
		}
		return e.crash(op, path)
	}}
}

func (e *engine) Get(_ context.Context, key string, v any) (bool, error) {
	raw, ok := e.state[key]
	if !ok {
		return false, nil
	}
	return true, json.Unmarshal(raw, v)
}

func (e *engine) commit(puts []component.Put) {
	for _, p := range puts {
		if p.Value == nil {
			delete(e.state, p.Key)
			continue
		}
		raw, err := json.Marshal(p.Value)
		if err != nil {
			e.t.Fatal(err)
		}
		e.state[p.Key] = raw
	}
}

func (e *engine) deliver(bodies ...any) component.Result {
	ds := make([]component.Delivery, len(bodies))
	for i, b := range bodies {
		ds[i] = component.Delivery{ID: fmt.Sprint(e.next + i), Event: &component.Event{ID: fmt.Sprint(e.next + i), Body: b}, Attempt: 1}
	}
	return e.sink.Deliver(context.Background(), ds)
}

// send delivers and settles, and wants no error.
func (e *engine) send(bodies ...any) {
	e.t.Helper()
	r := e.deliver(bodies...)
	for i, err := range r.Errors {
		if err != nil {
			e.t.Fatalf("delivery %d: %v", i, err)
		}
	}
	e.settle(r)
}

func (e *engine) settle(r component.Result) {
	e.next += len(r.Errors)
	e.commit(r.State)
	e.sink.Settled()
}

func template(t *testing.T, text string) expr.Template {
	t.Helper()
	tpl, err := expr.CompileTemplate(expr.Source{Text: text}, expr.FileName, &expr.Scope{Names: []string{"body", "meta", "event", "vars", "parent"}})
	if err != nil {
		t.Fatal(err)
	}
	return tpl
}

// fast is a directory in memory, if there is one: these tests sync a lot.
func fast(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "syncd") //nolint:usetesting // t.TempDir is on a disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// tree is every file below dir with its content.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[name] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func wantTree(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func id(n int) map[string]any { return map[string]any{"id": int64(n)} }

var errCrash = errors.New("the process is gone")

// crashRun sends rows 0 to rows-1 in batches, with a crash before the step-th thing
// that changes a disk or the journal; false: there were fewer.
func (e *engine) crashRun(rows, batch, step int, body func(n int) any) (crashed bool) {
	seen := 0
	at := func(string, string) error {
		if seen++; seen > step {
			crashed = true
			return errCrash
		}
		return nil
	}
	e.crash = at
	restart := func() { e.crash = nil; e.start() }
	for n := 0; n < rows; {
		var bodies []any
		for i := n; i < min(n+batch, rows); i++ {
			bodies = append(bodies, body(i))
		}
		r := e.deliver(bodies...)
		if e.crash != nil && (crashed || at("commit", "") != nil) {
			restart()
			continue
		}
		for _, err := range r.Errors {
			if err != nil {
				e.t.Fatalf("crash before step %d: row %d: %v", step, n, err)
			}
		}
		e.commit(r.State)
		n += len(bodies)
		if e.crash != nil && at("settled", "") != nil {
			restart()
			continue
		}
		e.sink.Settled()
		if e.crash != nil && crashed {
			restart()
		}
	}
	e.clock = e.clock.Add(time.Hour)
	if e.cfg.Roll != nil && e.cfg.Roll.Every > 0 {
		e.sink.tick(context.Background())
		if e.crash != nil && crashed {
			restart()
			e.sink.tick(context.Background())
		}
	}
	e.crash = nil
	return crashed
}

// rowsIn are the ids of all files that match, in the order of their names' numbers.
func rowsIn(t *testing.T, dir, stem, ext string) (ids []string) {
	t.Helper()
	files := tree(t, dir)
	var names []string
	for name := range files {
		if !strings.HasPrefix(name, stem) || !strings.HasSuffix(name, ext) {
			t.Errorf("left behind: %s: %q", name, files[name])
			continue
		}
		names = append(names, name)
	}
	number := func(name string) (n int) {
		fmt.Sscanf(strings.TrimPrefix(name, stem), "-%d", &n)
		return n
	}
	sort.Slice(names, func(i, j int) bool { return number(names[i]) < number(names[j]) })
	for _, name := range names {
		ids = append(ids, idsOf(t, name, files[name])...)
	}
	return ids
}

func idsOf(t *testing.T, name, content string) (ids []string) {
	t.Helper()
	switch filepath.Ext(name) {
	case ".csv":
		lines := strings.Split(strings.TrimSuffix(content, "\n"), "\n")
		if lines[0] != "id" {
			t.Errorf("%s begins with %q", name, lines[0])
		}
		return lines[1:]
	case ".json":
		var list []struct{ ID int }
		if err := json.Unmarshal([]byte(content), &list); err != nil {
			t.Errorf("%s: %v: %q", name, err, content)
		}
		for _, r := range list {
			ids = append(ids, fmt.Sprint(r.ID))
		}
		return ids
	case ".xml":
		return read(t, name, records.Format{XML: &records.XML{Each: "rows/row"}}, content)
	case ".xlsx":
		return read(t, name, records.Format{XLSX: &records.XLSX{Header: true}}, content)
	}
	for line := range strings.Lines(content) {
		ids = append(ids, strings.TrimSuffix(strings.TrimPrefix(line, `{"id":`), "}\n"))
	}
	return ids
}

// read gives the ids in a document by its format's reader.
func read(t *testing.T, name string, f records.Format, content string) (ids []string) {
	t.Helper()
	r, err := f.NewReader(strings.NewReader(content))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if c, ok := r.(io.Closer); ok {
		defer c.Close()
	}
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return ids
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if m, ok := rec.Body.(map[string]any); ok {
			rec.Values = []any{m["id"]}
		}
		ids = append(ids, fmt.Sprint(rec.Values[0]))
	}
}
