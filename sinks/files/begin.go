package files

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	path := filepath.Join(w.t.dir, name)
	f, err := w.s.disk.open(path, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return false, err
	}
	size, err := w.sizeBefore(f, name)
	if err != nil {
		return false, errors.Join(err, f.Close())
	}
	p := progress{File: name, Size: size, Format: w.s.cfg.Format.name(), Columns: columns, Opened: w.s.now(), Start: rand.Text()}
	head := w.s.cfg.writer(p.Format, columns).Begin(nil)
	if size > 0 && (mustBeEmpty || !startsWith(f, head)) {
		return false, f.Close()
	}
	if err := w.s.leaveIntent(w.t.dir, name, intent{p.Start, size}); err != nil {
		return false, errors.Join(err, f.Close())
	}
	w.f, w.p, w.intent = f, p, name
	switch {
	case size == 0:
		w.append(head)
	case !endsLine(f, size):
		w.append([]byte("\n"))
	}
	return true, nil
}

// sizeBefore is the file's size without what an unsettled beginning left in it.
func (w *writing) sizeBefore(f *os.File, name string) (int64, error) {
	in, ok, err := w.s.readIntent(w.t.dir, name)
	if err != nil {
		return 0, err
	}
	if ok {
		return w.s.disk.cut(f, in.Size)
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func startsWith(f *os.File, head []byte) bool {
	got := make([]byte, len(head))
	n, _ := f.ReadAt(got, 0)
	return bytes.Equal(got[:n], head)
}

func endsLine(f *os.File, size int64) bool {
	var last [1]byte
	_, err := f.ReadAt(last[:], size-1)
	return err == nil && last[0] == '\n'
}

func (s *sink) leaveIntent(dir, name string, in intent) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	f, err := s.disk.open(filepath.Join(dir, intentName(name)), os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	if err := errors.Join(s.disk.writeAt(f, b, 0), s.disk.sync(f), f.Close()); err != nil {
		return err
	}
	return s.disk.syncDir(dir)
}

// readIntent: one that does not parse was never synced, and so nothing followed it.
func (s *sink) readIntent(dir, name string) (in intent, ok bool, err error) {
	b, err := s.disk.readFile(filepath.Join(dir, intentName(name)))
	if errors.Is(err, fs.ErrNotExist) {
		return in, false, nil
	}
	if err != nil {
		return in, false, err
	}
	return in, json.Unmarshal(b, &in) == nil, nil
}

// undoIntent takes back, at first touch, a beginning that was never settled.
func (s *sink) undoIntent(t *target) error {
	name := t.kept.File
	if name == "" || isPart(name) {
		return nil
	}
	in, ok, err := s.readIntent(t.dir, name)
	if err != nil || !ok {
		return err
	}
	if in.ID != t.kept.Start {
		f, err := s.disk.open(filepath.Join(t.dir, name), os.O_RDWR)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		_, err = s.disk.cut(f, in.Size)
		if err := errors.Join(err, s.disk.sync(f), f.Close()); err != nil {
			return err
		}
	}
	return s.removeIntent(t.dir, name)
}

func (s *sink) removeIntent(dir, name string) error {
	if err := s.disk.remove(filepath.Join(dir, intentName(name))); err != nil {
		return err
	}
	return s.disk.syncDir(dir)
}

// dropIntent: the beginning is on record. An intent that cannot be removed does no
// harm: its id is on record as well.
func (s *sink) dropIntent(t *target) {
	if t.intent == "" {
		return
	}
	if err := s.removeIntent(t.dir, t.intent); err != nil {
		s.log.Warn("a file could not be removed; it does no harm", "file", intentName(t.intent), "error", err)
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
	f, err := w.s.disk.open(filepath.Join(w.t.dir, name), os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	if err := w.s.disk.syncDir(w.t.dir); err != nil {
		return errors.Join(err, f.Close())
	}
	w.f = f
	w.p = progress{File: name, Format: w.s.cfg.Format.name(), Columns: columns, Opened: w.s.now(), Sealed: w.p.Sealed}
	w.append(w.s.cfg.writer(w.p.Format, columns).Begin(nil))
	return nil
}

// removeStray removes parts that are on no record: a crash came before their
// settlement, and their events come again.
func (s *sink) removeStray(t *target) error {
	if s.cfg.Roll == nil {
		return nil
	}
	for n := 1; ; n++ {
		name := partName(t.name, n)
		if t.kept.uses(name) {
			continue
		}
		err := s.disk.remove(filepath.Join(t.dir, name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return fmt.Errorf("remove an unsettled part: %w", err)
		}
		s.log.Warn("removed a part that was never settled; its events come again", "dir", t.dir, "part", name)
	}
}
