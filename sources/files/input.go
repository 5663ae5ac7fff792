package files

import (
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
)

// input is what a format reads: it is hashed on the way.
type input struct {
	in     io.Reader
	at     int64 // offset in the document
	hashed int64 // how many bytes of the document are in the sum
	sum    hash.Hash
}

// newInput reads on at an offset of a document of which p tells the sum so far; a
// sum can be ahead of the place where reading goes on.
func newInput(in io.Reader, offset int64, p position) (*input, error) {
	i := &input{in: in, at: offset, hashed: p.Hashed, sum: sha256.New()}
	if p.Sum == nil {
		return i, nil
	}
	if err := i.sum.(encoding.BinaryUnmarshaler).UnmarshalBinary(p.Sum); err != nil {
		return nil, fmt.Errorf("go on with the sum of a file: %w", err)
	}
	return i, nil
}

func (i *input) Read(b []byte) (int, error) {
	n, err := i.in.Read(b)
	from := i.at
	i.at += int64(n)
	if i.at > i.hashed {
		i.sum.Write(b[max(0, i.hashed-from):n])
		i.hashed = i.at
	}
	return n, err
}

// state is the sum as it is kept with a position.
func (i *input) state() []byte {
	state, err := i.sum.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		panic(err) // a hash of the standard library
	}
	return state
}

func (i *input) digest() string { return hex.EncodeToString(i.sum.Sum(nil)) }

// raw is what comes from the place itself. Its errors are troubles of that place;
// all others, met while reading a file, are faults of what the file holds.
type raw struct {
	in   io.Reader
	n    int64 // bytes read
	size int64 // how long it is
	err  error
}

func (r *raw) Read(b []byte) (int, error) {
	if r.n >= r.size {
		return 0, io.EOF // what was added meanwhile is another upload's
	}
	n, err := r.in.Read(b[:min(int64(len(b)), r.size-r.n)])
	r.n += int64(n)
	if err == io.EOF && r.n < r.size {
		err = errChanged // it has become shorter
	}
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// errChanged says that a file is not any more what it was when its reading began.
var errChanged = errors.New("it changed while it was read")

// contentError is a fault of what a file holds, which reading it again won't cure.
type contentError struct{ error }

func (e contentError) Unwrap() error { return e.error }

func faulty(format string, args ...any) error { return contentError{fmt.Errorf(format, args...)} }
