package sftp

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/pkg/sftp"
	"github.com/syncd/syncd/engine/connect/files"
)

// A file is read ahead: so many blocks are asked for before the first is used. They
// bound what an open file holds in memory. (pkg/sftp's own WriteTo leaves holes where
// a file grows while it is read: it goes on behind a packet that came back short.)
const (
	blockSize = 256 << 10
	ahead     = 8
)

// Open reads path.
func (c *Client) Open(ctx context.Context, path string, offset int64) (files.File, error) {
	return ask(ctx, c, "open", path, func(s *session) (files.File, error) {
		f, i, err := regular(s.sftp, path, os.O_RDONLY)
		if err != nil {
			return nil, err
		}
		return &reader{handle: handle{ctx, c, s, f}, next: offset, size: i.Size(), block: blockSize}, nil
	}, func(f files.File) { f.Close() })
}

// handle is an open file of one session; there is none of it on the next.
type handle struct {
	ctx context.Context
	c   *Client
	s   *session
	f   *sftp.File
}

// Close does not wait for the server.
func (h *handle) Close() error {
	if h.s.err() != nil {
		return nil
	}
	h.c.calls.Go(func() {
		h.s.begin()
		defer h.s.end()
		h.f.Close() // nothing is lost if it fails: who writes has synced
	})
	return nil
}

func (h *handle) Info() (files.Info, error) {
	i, err := call(h.ctx, h.s, h.c, func(*session) (os.FileInfo, error) { return h.f.Stat() }, nil)
	if err != nil {
		return files.Info{}, named("stat", h.f.Name(), err)
	}
	return info(i), nil
}

type reader struct {
	handle
	next    int64 // where the next block begins
	size    int64 // when it was opened: beyond it nothing is asked for ahead
	block   int   // bytes; fewer where the server gives fewer at a time
	pending []chan block
	free    [][]byte
	now     block // being used
	at      int   // used of it
	end     error
}

// block is what was found at an offset; short if err is set.
type block struct {
	offset int64
	buf    []byte
	n      int
	err    error
}

func (r *reader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, named("read", r.f.Name(), err)
	}
	for r.at == r.now.n {
		if r.end != nil {
			return 0, r.end
		}
		r.advance()
	}
	n := copy(b, r.now.buf[r.at:r.now.n])
	r.at += n
	return n, nil
}

// advance waits for the next block.
func (r *reader) advance() {
	if r.now.buf != nil {
		r.free = append(r.free, r.now.buf)
	}
	r.fill()
	r.s.begin()
	defer r.s.end()
	select {
	case r.now = <-r.pending[0]:
		r.pending, r.at = r.pending[1:], 0
		r.judge()
	case <-r.ctx.Done():
		r.now, r.at, r.end = block{}, 0, named("read", r.f.Name(), r.ctx.Err())
	}
}

// fill asks for blocks, those that the file had when it was opened ahead of their use.
func (r *reader) fill() {
	for len(r.pending) == 0 || len(r.pending) < ahead && r.next < r.size {
		b := block{offset: r.next, buf: r.buffer()}
		answer := make(chan block, 1)
		r.c.calls.Go(func() {
			b.n, b.err = r.f.ReadAt(b.buf, b.offset)
			answer <- b
		})
		r.pending = append(r.pending, answer)
		r.next += int64(len(b.buf))
	}
}

func (r *reader) buffer() []byte {
	if n := len(r.free); n > 0 && len(r.free[n-1]) == r.block {
		b := r.free[n-1]
		r.free = r.free[:n-1]
		return b
	}
	if left := r.size - r.next; left >= 0 && left < int64(r.block) {
		return make([]byte, left+1) // one more, so that the end shows
	}
	return make([]byte, r.block)
}

// judge looks at how the block ended.
func (r *reader) judge() {
	switch b := r.now; {
	case b.err == nil:
	case !errors.Is(b.err, io.EOF):
		r.end = named("read", r.f.Name(), r.c.answered(r.s, b.err))
	case b.n == 0 || b.offset+int64(b.n) >= r.size:
		r.end = io.EOF
	default: // the server gives less at a time; what was asked for behind it leaves a hole
		r.block, r.pending, r.next = b.n, nil, b.offset+int64(b.n)
	}
}
