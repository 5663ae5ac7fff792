package files

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"path"

	"github.com/syncd/syncd/engine/connect/files"
	"github.com/syncd/syncd/engine/format"
)

// intent is left beside a file while its first records are not on record yet: it
// says how much of the file was there before. It is what tells, after a crash,
// our own unsettled records from a file that somebody else made.
type intent struct {
	ID   string `json:"id"`
	Size int64  `json:"size"`
}

// newFile begins the path's file, or goes on behind what stands in one that is
// not on record. One of other columns or another format is left alone, and
// NAME-2 begun.
func (w *writing) newFile(columns []string) error {
	first := 1
	if w.p.Format != "" { // the one on record has other columns
		first = 2
	}
	for n := first; ; n++ {
		ok, err := w.begin(numbered(w.t.name, n), columns, n > 1)
		if ok || err != nil {
			return err
		}
	}
}

// begin opens name at its end; false: it holds what we must not add to.
func (w *writing) begin(name string, columns []string, mustBeEmpty bool) (bool, error) {
	found, err := w.before(name)
	if err != nil {
		return false, err
	}
	p := progress{File: name, Size: found.size, Format: w.s.cfg.Format.Name(), Columns: columns, Opened: w.s.now(), Start: rand.Text()}
	writer := w.s.cfg.writer(p.Format, columns)
	head, lineBreak := writer.Begin(nil), format.LineBreak(writer)
	if found.size > 0 && mustBeEmpty {
		return false, nil
	}
	same, whole, err := w.s.compare(w.ctx, found, head, lineBreak)
	if err != nil || !same {
		return false, err
	}
	if err := w.s.leave(w.ctx, path.Join(w.t.dir, intentName(name)), intent{p.Start, found.size}); err != nil {
		return false, err
	}
	if found.path == "" {
		w.f, err = w.s.fs.Create(w.ctx, path.Join(w.t.dir, name))
	} else {
		w.f, err = w.s.fs.Append(w.ctx, found.path, found.size)
	}
	if err != nil {
		return false, err
	}
	w.p, w.intent = p, name
	switch {
	case found.size == 0:
		w.append(head)
	case !whole:
		w.append(lineBreak)
	}
	return true, nil
}

// found is a file that is there, at the end of all links; path is "" if none is.
type found struct {
	path string
	size int64
}

// before is the file without what an unsettled beginning left in it.
func (w *writing) before(name string) (found, error) {
	at, err := w.s.fs.RealPath(w.ctx, path.Join(w.t.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return found{}, nil
	}
	if err != nil {
		return found{}, err
	}
	info, err := w.s.fs.Stat(w.ctx, at)
	if err != nil {
		return found{}, err
	}
	if !info.Mode.IsRegular() {
		return found{}, &files.NotRegularError{Path: at, Mode: info.Mode}
	}
	in, ok, err := w.s.readIntent(w.ctx, w.t.dir, name)
	if err != nil || !ok || info.Size <= in.Size {
		return found{at, info.Size}, err
	}
	return found{at, in.Size}, w.s.cut(w.ctx, at, in.Size)
}

// compare looks at a file's beginning and end: whether it has the head, and whether
// its last line is whole.
func (s *sink) compare(ctx context.Context, f found, head, lineBreak []byte) (same, whole bool, err error) {
	if f.size == 0 {
		return true, true, nil
	}
	begins, err := s.peek(ctx, f.path, 0, len(head))
	if err != nil || !bytes.Equal(begins, head) {
		return false, false, err
	}
	ends, err := s.peek(ctx, f.path, max(0, f.size-int64(len(lineBreak))), len(lineBreak))
	return err == nil, bytes.Equal(ends, lineBreak), err
}

// peek gives n bytes of a file, or what there is of them.
func (s *sink) peek(ctx context.Context, path string, offset int64, n int) ([]byte, error) {
	f, err := s.fs.Open(ctx, path, offset)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, int64(n)))
}

// cut shortens a file to size, durably. One that is shorter stays as it is.
func (s *sink) cut(ctx context.Context, path string, size int64) error {
	f, err := s.fs.Append(ctx, path, size)
	var short *files.ShortError
	if errors.As(err, &short) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// leave writes v to a small file of our own, durably.
func (s *sink) leave(ctx context.Context, path string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	f, err := s.anew(ctx, path)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// anew makes a file whether there is one or not.
func (s *sink) anew(ctx context.Context, path string) (files.Writer, error) {
	f, err := s.fs.Create(ctx, path)
	if !errors.Is(err, fs.ErrExist) {
		return f, err
	}
	if err := s.fs.Remove(ctx, path); err != nil {
		return nil, err
	}
	return s.fs.Create(ctx, path)
}

// read reads a small file of our own into v; false: there is none. One that does not
// parse was never synced, and so nothing followed it.
func (s *sink) read(ctx context.Context, path string, v any) (ok bool, err error) {
	real, err := s.fs.RealPath(ctx, path)
	var b []byte
	if err == nil {
		b, err = s.peek(ctx, real, 0, 4096)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && json.Unmarshal(b, v) == nil, err
}

func (s *sink) readIntent(ctx context.Context, dir, name string) (in intent, ok bool, err error) {
	ok, err = s.read(ctx, path.Join(dir, intentName(name)), &in)
	return in, ok, err
}

// undoIntent takes back, at first touch, a beginning that was never settled.
func (s *sink) undoIntent(ctx context.Context, t *target) error {
	name := t.kept.File
	if name == "" || isPart(name) {
		return nil
	}
	in, ok, err := s.readIntent(ctx, t.dir, name)
	if err != nil || !ok {
		return err
	}
	if in.ID != t.kept.Start {
		err := s.cut(ctx, path.Join(t.dir, name), in.Size)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return s.fs.Remove(ctx, path.Join(t.dir, intentName(name)))
}

// dropIntent: the beginning is on record. An intent that cannot be removed does no
// harm, since its id is on record as well, and goes with the next settlement.
func (s *sink) dropIntent(ctx context.Context, t *target) {
	if t.intent == "" {
		return
	}
	err := s.fs.Remove(ctx, path.Join(t.dir, intentName(t.intent)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Warn("a file could not be removed yet; it does no harm", "file", intentName(t.intent), "error", err)
		return
	}
	t.intent = ""
}

// newPart begins a part, under a name that no record knows.
func (w *writing) newPart(columns []string) error {
	n := 1
	for w.p.uses(partName(w.t.name, n)) || w.t.kept.uses(partName(w.t.name, n)) {
		n++
	}
	name := partName(w.t.name, n)
	f, err := w.s.anew(w.ctx, path.Join(w.t.dir, name))
	if err != nil {
		return err
	}
	w.f = f
	w.p = progress{File: name, Format: w.s.cfg.Format.Name(), Columns: columns, Opened: w.s.now(), Sealed: w.p.Sealed}
	w.append(w.s.cfg.writer(w.p.Format, columns).Begin(nil))
	return nil
}

// removeStray removes parts that are on no record: a crash came before their
// settlement, and their events come again.
func (s *sink) removeStray(ctx context.Context, t *target) error {
	if s.cfg.Roll == nil {
		return nil
	}
	for n := 1; ; n++ {
		name := partName(t.name, n)
		if t.kept.uses(name) {
			continue
		}
		err := s.fs.Remove(ctx, path.Join(t.dir, name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		}
		s.log.Warn("removed a part that was never settled; its events come again", "dir", t.dir, "part", name)
	}
}
