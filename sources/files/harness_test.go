package files

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/files"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/records"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is what a source lives in: a directory, and an intake that keeps what it is
// given. Both outlive the source.
type world struct {
	testing.TB
	dir    string // that the source reads
	config *Config
	before func(op, path string) error // of each thing that is done to files or the journal

	mu     sync.Mutex
	rows   []string // of accepted events: file, row, and body
	dead   []component.Draft
	state  map[string]json.RawMessage
	until  map[string]time.Time
	commit int // number of batches
	failed int
	log    bytes.Buffer
}

func newWorld(t testing.TB) *world {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := newConfig()
	c.Path, c.Settle, c.Every = filepath.Join(dir, "in"), 0, time.Minute
	c.Format.CSV = &records.CSV{}
	c.Format.CSV.SetDefaults()
	c.Connection = component.Ref{Address: "connection.sftp.test"}
	w := &world{TB: t, dir: c.Path, config: c, state: map[string]json.RawMessage{}, until: map[string]time.Time{}}
	w.mkdir("")
	return w
}

// template compiles a path or name; a relative path lies beside the directory.
func (w *world) template(text string) expr.Template {
	w.Helper()
	if strings.HasPrefix(text, "./") {
		text = filepath.Join(filepath.Dir(w.dir), text)
	}
	t, err := expr.CompileTemplate(expr.Source{Text: text}, expr.FileName, &expr.Scope{Names: []string{"meta", "event"}})
	if err != nil {
		w.Fatal(err)
	}
	return t
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) mkdir(name string) {
	w.Helper()
	if err := os.MkdirAll(w.path(name), 0o755); err != nil {
		w.Fatal(err)
	}
}

func (w *world) write(name, text string) {
	w.Helper()
	w.mkdir(filepath.Dir(name))
	if err := os.WriteFile(w.path(name), []byte(text), 0o644); err != nil {
		w.Fatal(err)
	}
}

func (w *world) append(name, text string) {
	w.Helper()
	f, err := os.OpenFile(w.path(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		w.Fatal(err)
	}
}

// touch gives a file another time.
func (w *world) touch(name string, at time.Time) {
	w.Helper()
	if err := os.Chtimes(w.path(name), at, at); err != nil {
		w.Fatal(err)
	}
}

// table is CSV with so many rows, numbered from n.
func table(n, rows int) string {
	text := "id\n"
	for i := range rows {
		text += fmt.Sprintln(n + i)
	}
	return text
}

// source is a new one, as after a restart.
func (w *world) source() *source {
	w.Helper()
	var p component.Problems
	w.config.Validate(&p)
	if len(p.List) > 0 {
		w.Fatal(p.List)
	}
	w.log.Reset()
	s, err := open(component.Env{
		Address: "source.files.test", Now: time.Now,
		Log:        slog.New(slog.NewTextHandler(&w.log, nil)),
		Connection: func(component.Ref) (any, error) { return &place{w, files.Local{}}, nil },
	}, w.config, &hub{})
	if err != nil {
		w.Fatal(err)
	}
	return s.(*source)
}

// run makes one run of a new source.
func (w *world) run() error {
	w.Helper()
	return w.again(w.source())
}

func (w *world) again(s *source) error { return (&run{source: s, in: w}).all(context.Background()) }

// read runs and wants no error.
func (w *world) read() {
	w.Helper()
	if err := w.run(); err != nil {
		w.Fatal(err)
	}
}

// wants compares what was accepted since the last call.
func (w *world) wants(rows ...string) {
	w.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if diff := cmp.Diff(rows, w.rows); diff != "" {
		w.Errorf("accepted: %s", diff)
	}
	w.rows = nil
}

// tree wants these files beside and in the directory.
func (w *world) tree(want ...string) {
	w.Helper()
	var got []string
	root := filepath.Dir(w.dir)
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(root, p)
			got = append(got, name)
		}
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("files: %s", diff)
	}
}

func (w *world) ask(op, path string) error {
	if w.before == nil {
		return nil
	}
	return w.before(op, path)
}

// Accept keeps a batch.
func (w *world) Accept(_ context.Context, b component.Batch) ([]component.Accepted, error) {
	if err := w.ask("accept", ""); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.commit++
	for _, d := range b.Drafts {
		var meta struct {
			File struct{ Path, Member string }
			Row  int64
		}
		if err := json.Unmarshal(d.RawMeta, &meta); err != nil {
			w.Errorf("meta %s: %v", d.RawMeta, err)
		}
		if d.Fault != nil {
			w.dead = append(w.dead, d)
			continue
		}
		body := d.Body
		if d.Names != nil {
			body = strings.Trim(fmt.Sprint(d.Values), "[]")
		} else if d.Raw != nil {
			body = string(d.Raw)
		}
		w.rows = append(w.rows, fmt.Sprintf("%s:%d %v", meta.File.Path+strings.TrimSuffix("/"+meta.File.Member, "/"), meta.Row, body))
	}
	for _, p := range b.State {
		if p.Value == nil {
			delete(w.state, p.Key)
			continue
		}
		v, err := json.Marshal(p.Value)
		if err != nil {
			w.Error(err)
		}
		w.state[p.Key], w.until[p.Key] = v, p.Expires
	}
	return make([]component.Accepted, len(b.Drafts)), nil
}

// Get reads state.
func (w *world) Get(_ context.Context, key string, v any) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	raw, ok := w.state[key]
	if !ok {
		return false, nil
	}
	return true, json.Unmarshal(raw, v)
}

// Refused counts.
func (w *world) Refused(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed += n
}

// ledger are the paths that have entries.
func (w *world) ledger() []string {
	return slices.Sorted(func(yield func(string) bool) {
		for key := range maps.Keys(w.state) {
			if p, ok := strings.CutPrefix(key, "file/"); ok && !yield(p) {
				return
			}
		}
	})
}

// place is a file system in which everything can be asked about first.
type place struct {
	w *world
	files.FS
}

func (p *place) ReadDir(ctx context.Context, dir string) ([]files.Info, error) {
	if err := p.w.ask("readdir", dir); err != nil {
		return nil, err
	}
	return p.FS.ReadDir(ctx, dir)
}

func (p *place) Stat(ctx context.Context, path string) (files.Info, error) {
	if err := p.w.ask("stat", path); err != nil {
		return files.Info{}, err
	}
	return p.FS.Stat(ctx, path)
}

func (p *place) Open(ctx context.Context, path string, offset int64) (files.File, error) {
	if err := p.w.ask("open", path); err != nil {
		return nil, err
	}
	f, err := p.FS.Open(ctx, path, offset)
	if err != nil {
		return nil, err
	}
	return &opened{f, p.w, path}, nil
}

func (p *place) Rename(ctx context.Context, from, to string) error {
	if err := p.w.ask("rename", from); err != nil {
		return err
	}
	return errors.Join(p.FS.Rename(ctx, from, to), p.w.ask("renamed", from))
}

func (p *place) Remove(ctx context.Context, path string) error {
	if err := p.w.ask("remove", path); err != nil {
		return err
	}
	return errors.Join(p.FS.Remove(ctx, path), p.w.ask("removed", path))
}

func (p *place) MakeDir(ctx context.Context, dir string) error {
	if err := p.w.ask("mkdir", dir); err != nil {
		return err
	}
	return p.FS.MakeDir(ctx, dir)
}

type opened struct {
	files.File
	w    *world
	path string
}

func (o *opened) Read(b []byte) (int, error) {
	if err := o.w.ask("read", o.path); err != nil {
		return 0, err
	}
	return o.File.Read(b)
}
