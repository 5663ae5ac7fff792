package watch

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// hashed is the size up to which files are compared by what they hold; larger
// ones are by size, time and inode.
const hashed = 1 << 20

// settled is how old a change must be for the times of a file to tell every later
// one: clocks of file systems tick, some once in two seconds.
const settled = 2 * time.Second

// stamp is what a file looked like.
type stamp struct {
	err   string      // why it cannot be read; "": it can
	kind  fs.FileMode // what it is, if no ordinary file
	stat  stat
	sum   [sha256.Size]byte
	sums  bool // whether sum says what it holds
	below bool // whether it was found in the configuration's directory
	taken time.Time
}

// stat is what the file system tells of a file without reading it.
type stat struct {
	dev, ino       uint64
	size           int64
	mode           fs.FileMode
	written, moved int64 // Unix nanoseconds: what it holds; anything of it, also name and rights
}

func newStat(info os.FileInfo) stat {
	s := stat{size: info.Size(), mode: info.Mode(), written: info.ModTime().UnixNano()}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		s.dev, s.ino, s.moved = sys.Dev, sys.Ino, sys.Ctim.Nano()
	}
	return s
}

func (s stat) newest() time.Time { return time.Unix(0, max(s.written, s.moved)) }

// takeStamp looks at the file at path, which last looked like last.
func takeStamp(path string, last stamp, now time.Time) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{err: cause(err)}
	}
	if !info.Mode().IsRegular() {
		return stamp{kind: info.Mode().Type()} // to open a pipe could take for ever
	}
	s := stamp{stat: newStat(info), taken: now}
	if last.stat == s.stat && last.taken.Sub(s.stat.newest()) > settled {
		last.taken = now
		return last
	}
	s.read(path)
	return s
}

func (s *stamp) read(path string) {
	f, err := os.Open(path)
	if err != nil {
		s.err = cause(err)
		return
	}
	defer f.Close()
	if s.stat.size > hashed {
		return
	}
	text := bytes.NewBuffer(make([]byte, 0, s.stat.size+bytes.MinRead)) // there are many small files
	if _, err = text.ReadFrom(io.LimitReader(f, hashed+1)); err != nil {
		s.err = cause(err)
	}
	s.sum = sha256.Sum256(text.Bytes())
	s.sums = text.Len() <= hashed
}

// same tells whether whoever reads the file finds what was found before.
func (s stamp) same(old stamp) bool {
	if s.err != old.err || s.kind != old.kind || s.sums != old.sums {
		return false
	}
	if s.sums || s.err != "" {
		return s.sum == old.sum
	}
	a, b := s.stat, old.stat
	return a.size == b.size && a.written == b.written && a.dev == b.dev && a.ino == b.ino
}

// changedSince tells whether the file was, as far as its clock can tell, changed
// at t or later.
func (s stamp) changedSince(t time.Time) bool {
	const tick = 10 * time.Millisecond // of the kernel's clock for files
	return s.stat != stat{} && !s.stat.newest().Before(t.Add(-tick))
}

// holds tells whether the file is known to hold text, which is nil if it is not known.
func (s stamp) holds(text []byte) bool {
	return text != nil && s.sums && s.sum == sha256.Sum256(text)
}

// cause is an error without the path, which is the same file's each time.
func cause(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return err.Error()
}
