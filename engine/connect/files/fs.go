// Package files is what sources and sinks see of a place where files lie: this
// machine's disk, or a partner's server. A new kind of place implements FS and
// passes filestest.
package files

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"time"
)

// FS is a place where files lie. Paths are absolute, separated by slashes and clean.
//
// Errors name the path, or say that the place cannot be reached. They match
// where they mean that, and what ended ctx when that is why; all others are taken for
// passing trouble of the place itself.
//
// An FS is safe for concurrent use and reconnects by itself, and every method ends
// soon after ctx does. What was asked for may still happen then: a place far away
// cannot be told to stop. Whatever changes a directory is as durable as the place
// can make it when the method returns nil.
type FS interface {
	// ReadDir lists a directory, in no order, without "." and "..". Symbolic links are
	// told as such; what vanishes meanwhile is left out.
	ReadDir(ctx context.Context, dir string) ([]Info, error)
	// Stat does not follow a symbolic link in the last place of path.
	Stat(ctx context.Context, path string) (Info, error)
	// RealPath resolves all symbolic links. Whether the result lies where it should is
	// the caller's business.
	RealPath(ctx context.Context, path string) (string, error)
	// Open reads a regular file from offset on; beyond its end there is nothing to
	// read. Anything else (a FIFO, a device, a directory) is an error, and opening it
	// does not wait. No symbolic link is followed, on this machine none anywhere in
	// path: a path that RealPath gave stays what it was. ctx ends the reading as well.
	Open(ctx context.Context, path string, offset int64) (File, error)
	// Create makes a file that is not there; fs.ErrExist if anything is. ctx ends the
	// writing as well.
	Create(ctx context.Context, path string) (Writer, error)
	// Append opens a regular file for writing at offset, and cuts off what stands
	// behind it; fs.ErrNotExist if the file is missing, a *ShortError if it is shorter.
	// ctx ends the writing as well.
	Append(ctx context.Context, path string, offset int64) (Writer, error)
	// Rename moves a file to a name that is not taken; fs.ErrExist if it is, also where
	// the place itself would overwrite. Where a cut can leave both names to the file, the
	// next call ends what that one began.
	Rename(ctx context.Context, from, to string) error
	// Remove removes a file or symbolic link; a directory is an error.
	Remove(ctx context.Context, path string) error
	// MakeDir makes a directory and what is missing above it; one that is there is no error.
	MakeDir(ctx context.Context, dir string) error
}

// File is a file being read, by one goroutine at a time.
type File interface {
	io.ReadCloser
	// Info is how the file is now: the open file, not what the name may mean meanwhile.
	Info() (Info, error)
}

// Writer is a file being written, by one goroutine at a time. After an error of
// Write or Sync nothing is certain of what stands behind the last Sync.
type Writer interface {
	io.Writer
	// Sync makes what was written as durable as the place can, and the name with it.
	Sync() error
	Close() error
}

// Info is what a place says of a file.
type Info struct {
	Name    string // base name, as the place has it: any bytes but '/' and NUL
	Size    int64
	Mode    fs.FileMode
	ModTime time.Time // as precise as the place tells it
	// ID tells a file from another that took its name (device and inode); "": unknown.
	ID string
}

// ShortError is Append's for a file that has fewer bytes than its offset.
type ShortError struct {
	Path         string
	Offset, Size int64
}

func (e *ShortError) Error() string {
	return fmt.Sprintf("append to %s at %d: it has only %d bytes", e.Path, e.Offset, e.Size)
}

// NotRegularError is Open's and Append's for what is no regular file.
type NotRegularError struct {
	Path string
	Mode fs.FileMode
}

func (e *NotRegularError) Error() string {
	return fmt.Sprintf("open %s: it is %s, not a regular file", e.Path, Describe(e.Mode))
}

// Describe says what a mode's type is: "a directory", "a FIFO".
func Describe(mode fs.FileMode) string {
	switch {
	case mode.IsRegular():
		return "a file"
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		return "a FIFO"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "something special"
}
