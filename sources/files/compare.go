package files

import (
	"bytes"
	"context"
	"errors"
	"io"
)

// compare finds out what became of a file that is not as the ledger knows it: it
// was only touched, or has grown beyond what was read of it, and stays the same
// file; or it is another one, of which nothing is known yet.
func (r *run) compare(ctx context.Context, f *file) error {
	e, known := *f.entry, false
	var err error
	switch {
	case e.Hash == "" && (e.State == reading || e.State == failed):
		known, err = r.beginsAs(ctx, f, e.At)
		known = known && !r.config.Atomic
		r.again(&e)
	case e.Size == f.info.Size:
		var hash string
		hash, err = r.hash(ctx, f)
		known = hash == e.Hash
	case r.mayHaveGrown(f):
		known, err = r.grown(ctx, f, &e)
	}
	var fault contentError
	if err != nil && !errors.As(err, &fault) {
		return err
	}
	if !known {
		if f.entry.State == reading && e.At.any() {
			r.env.Log.Warn("file was replaced before all of it was read; it is read from its beginning", "file", f.path, "row", e.At.Row)
		}
		f.entry = nil
		return nil
	}
	e.becomes(f.info)
	return r.store(ctx, f, e)
}

// again has a file that failed be read on, unless what stands before that place
// is reason enough for it to fail.
func (r *run) again(e *entry) {
	if r.config.MaxErrors == 0 || e.Faults < r.config.MaxErrors {
		e.State, e.Failed = reading, false
	}
}

// mayHaveGrown tells whether f can be the file that was read, with more behind it. A
// place that does not tell files from each other might as well have a new upload.
func (r *run) mayHaveGrown(f *file) bool {
	e := f.entry
	return e.State == done && !r.config.Atomic && e.ID != "" && e.ID == f.info.ID &&
		f.info.Size > e.Size && e.At.End > 0 && r.packing(f) == ""
}

// grown tells whether all that was read of f still stands there, up to the end of a
// line, and has e go on behind it.
func (r *run) grown(ctx context.Context, f *file, e *entry) (bool, error) {
	in, s, err := r.openHashed(ctx, f)
	if err != nil {
		return false, err
	}
	defer s.Close()
	end := &tail{}
	if _, err := io.CopyN(end, in, e.Size); err != nil {
		return false, s.whose(err)
	}
	if in.digest() != e.Hash || !end.ofLine() {
		return false, nil
	}
	e.State, e.Hash, e.Faults = reading, "", 0
	e.At.Sum, e.At.Hashed = in.state(), in.hashed
	return true, nil
}

// tail keeps the last bytes that were written to it.
type tail struct{ last [2]byte }

func (t *tail) Write(b []byte) (int, error) {
	for _, c := range b[max(0, len(b)-2):] {
		t.last[0], t.last[1] = t.last[1], c
	}
	return len(b), nil
}

// ofLine tells whether a line ends there, in UTF-16 as well.
func (t *tail) ofLine() bool { return t.last[1] == '\n' || t.last == [2]byte{'\n', 0} }

// beginsAs tells whether what was read of a file still stands in it.
func (r *run) beginsAs(ctx context.Context, f *file, p position) (bool, error) {
	if p.Hashed == 0 {
		return false, nil
	}
	in, s, err := r.openHashed(ctx, f)
	if err != nil {
		return false, err
	}
	defer s.Close()
	if n, err := io.CopyN(io.Discard, in, p.Hashed); err != nil && err != io.EOF {
		return false, s.whose(err)
	} else if n < p.Hashed {
		return false, nil
	}
	return bytes.Equal(in.state(), p.Sum), nil
}

// hash is that of all that a file holds.
func (r *run) hash(ctx context.Context, f *file) (string, error) {
	a, err := r.documents(ctx, f)
	if err != nil {
		return "", err
	}
	defer a.Close()
	if a.hash != "" {
		return a.hash, nil
	}
	in, s, err := r.openHashed(ctx, f)
	if err != nil {
		return "", err
	}
	defer s.Close()
	if _, err := io.Copy(io.Discard, in); err != nil {
		return "", s.whose(err)
	}
	return in.digest(), nil
}

// openHashed opens the only document of a file, to hash it from its beginning.
func (r *run) openHashed(ctx context.Context, f *file) (*input, *stream, error) {
	a, err := r.documents(ctx, f)
	if err != nil {
		return nil, nil, err
	}
	if len(a.documents) != 1 { // an archive now
		return nil, nil, errors.Join(faulty("it is an archive"), a.Close())
	}
	s, err := a.documents[0].open(ctx, 0)
	if err != nil {
		return nil, nil, errors.Join(err, a.Close())
	}
	s.closes = append(s.closes, a.Close)
	in, err := newInput(s, 0, position{})
	if err != nil {
		return nil, nil, errors.Join(err, s.Close())
	}
	return in, s, nil
}
