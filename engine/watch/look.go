package watch

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// look is how everything stood at one moment.
type look struct {
	stamps map[string]stamp       // by the path that the configuration knows
	dirs   map[string]os.FileInfo // directories on the way, by their real path
	names  map[string]bool        // real paths whose events matter
	below  map[string]bool        // directories in which each *.hcl and each directory matters

	last map[string]stamp
	now  time.Time
}

// takeLook looks at all of what; files that stand as they did in last are not read again.
func takeLook(what order, last *look) *look {
	l := &look{
		stamps: map[string]stamp{}, dirs: map[string]os.FileInfo{}, names: map[string]bool{}, below: map[string]bool{},
		last: last.stamps, now: time.Now(),
	}
	for _, path := range what.files {
		l.file(path)
	}
	if what.root == "" {
		return l
	}
	real, info, err := l.follow(what.root)
	if err != nil || !info.IsDir() {
		l.file(what.root)
		return l
	}
	l.walk(what.root, real)
	return l
}

// file looks at one file and watches the way to it.
func (l *look) file(path string) {
	_, _, _ = l.follow(path) // its error is the stamp's as well
	l.stamps[path] = takeStamp(path, l.last[path], l.now)
}

// walk looks at the configuration in a directory: path as it is known, real as it is.
func (l *look) walk(path, real string) {
	l.below[real] = true
	entries, err := os.ReadDir(real)
	if err != nil {
		l.stamps[path] = stamp{err: err.Error(), below: true}
		return
	}
	for _, e := range entries {
		name, there := filepath.Join(path, e.Name()), filepath.Join(real, e.Name())
		switch {
		case hidden(e.Name()):
		case e.IsDir():
			if _, info, err := l.follow(there); err == nil && info.IsDir() {
				l.walk(name, there)
			}
		case isConfig(e.Name()):
			if e.Type()&fs.ModeSymlink != 0 {
				_, _, _ = l.follow(there)
			}
			s := takeStamp(there, l.last[name], l.now)
			s.below = true
			l.stamps[name] = s
		}
	}
}

// links is how many symlinks the kernel follows on one way.
const links = 40

// follow goes to path as the kernel does. All directories that it comes through,
// also those that only hold a link, are to be watched; where something is
// missing, its name in the last one will tell when it is there.
func (l *look) follow(path string) (real string, info os.FileInfo, err error) {
	at, todo := "/", elements(path)
	if info, err = l.dir(at); err != nil {
		return at, nil, err
	}
	for left := links; len(todo) > 0; {
		var next string
		next, todo = filepath.Join(at, todo[0]), todo[1:]
		l.names[next] = true
		if info, err = l.dir(next); err != nil {
			return next, nil, err
		}
		switch {
		case info.IsDir():
			at = next
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(next)
			if left--; left < 0 {
				err = syscall.ELOOP
			}
			if err != nil {
				return next, nil, err
			}
			if filepath.IsAbs(target) {
				at = "/"
			}
			todo = append(elements(target), todo...)
		case len(todo) > 0:
			return next, nil, syscall.ENOTDIR
		default:
			return next, info, nil
		}
	}
	return at, info, nil
}

// dir looks at path, once for all ways that come by; if it is a directory, it is
// to be watched.
func (l *look) dir(path string) (os.FileInfo, error) {
	if info := l.dirs[path]; info != nil {
		return info, nil
	}
	info, err := os.Lstat(path)
	if err == nil && info.IsDir() {
		l.dirs[path] = info
	}
	return info, err
}

// elements are those of a path, with ".." as it stands: behind a symlink it means
// another directory than the text before it.
func elements(path string) []string {
	return slices.DeleteFunc(strings.Split(path, "/"), func(e string) bool { return e == "" || e == "." })
}

// differences are the paths that read otherwise than before, sorted.
func (l *look) differences(before map[string]stamp) []string {
	var paths []string
	for path, s := range l.stamps {
		if old, known := before[path]; !known || !s.same(old) {
			paths = append(paths, path)
		}
	}
	for path := range before {
		if _, still := l.stamps[path]; !still {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// concerns tells whether an event may mean that something has changed.
func (l *look) concerns(e fsnotify.Event) bool {
	if l.names[e.Name] {
		return true
	}
	dir, name := filepath.Split(e.Name)
	if !l.below[filepath.Clean(dir)] || hidden(name) {
		return false
	}
	if isConfig(name) {
		return true
	}
	if !e.Has(fsnotify.Create) {
		return false
	}
	info, err := os.Lstat(e.Name)
	return err == nil && info.IsDir()
}

// hidden names are not read in a directory of a configuration.
func hidden(name string) bool { return strings.HasPrefix(name, ".") }

// isConfig tells whether a file of a directory belongs to its configuration.
func isConfig(name string) bool {
	return !hidden(name) && strings.HasSuffix(name, ".hcl") && !strings.HasSuffix(name, ".test.hcl")
}
