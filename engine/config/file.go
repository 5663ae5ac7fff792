package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"golang.org/x/sync/errgroup"
)

// maxFile is the size that a file of a configuration may have.
const maxFile = 8 << 20

// file is one file of the configuration.
type file struct {
	path   string // absolute
	name   string // below the configuration's directory, for places: "orders.hcl"
	text   []byte
	lines  []int // where each line begins
	body   *hclsyntax.Body
	faults hcl.Diagnostics // of its syntax
	broken []int           // offsets of mistakes in its syntax: what it declares is known in part
	marred []int           // lines with such mistakes that spoil nothing but their line
	eval   *hcl.EvalContext
}

func newFile(path, name string, text []byte) *file {
	f := &file{path: path, name: name, text: text, lines: []int{0}}
	if bytes.HasPrefix(text, []byte("\ufeff")) { // a byte order mark is no column
		f.lines[0] = 3
	}
	for i, c := range text {
		if c == '\n' {
			f.lines = append(f.lines, i+1)
		}
	}
	f.parse()
	return f
}

// pos is the place of the byte at offset; columns count characters.
func (f *file) pos(offset int) Pos {
	offset = min(max(offset, f.lines[0]), len(f.text))
	line, found := slices.BinarySearch(f.lines, offset)
	if !found {
		line--
	}
	return Pos{Line: line + 1, Column: f.characters(f.lines[line], offset) + 1, Byte: offset}
}

// characters counts those that begin in from..to. What is cut off at to counts as
// one, so that a place further on never has a smaller column.
func (f *file) characters(from, to int) int {
	if to == len(f.text) || utf8.RuneStart(f.text[to]) {
		return utf8.RuneCount(f.text[from:to])
	}
	n := 0
	for ; from < to; n++ {
		_, size := utf8.DecodeRune(f.text[from:])
		from += size
	}
	return n
}

// line is the text of line n, counted from 1.
func (f *file) line(n int) string {
	end := len(f.text)
	if n < len(f.lines) {
		end = f.lines[n] - 1
	}
	return strings.ToValidUTF8(string(bytes.TrimSuffix(f.text[f.lines[n-1]:end], []byte("\r"))), "\uFFFD")
}

// place is what Component.Place and the like say.
func (f *file) place(at hcl.Range) string { return fmt.Sprintf("%s:%d", f.name, at.Start.Line) }

// findFiles gives the files of a configuration in lexical order, absolute, and the
// directory that places are relative to.
func findFiles(path string) (root string, files []string, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return "", nil, err
	}
	files, err = walk(path, isConfigFile)
	if len(files) == 1 && files[0] == path {
		return filepath.Dir(path), files, err
	}
	return path, files, err
}

// walk gives path, if it is no directory, else the files in it and below it that
// are wanted, in lexical order.
func walk(path string, wanted func(string, fs.DirEntry) bool) (files []string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	root := path + string(filepath.Separator) // follows path where it is a symlink
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case p != root && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case wanted(p, d):
			files = append(files, p)
		}
		return nil
	})
	slices.Sort(files)
	return files, err
}

// isConfigFile leaves out tests.
func isConfigFile(path string, d fs.DirEntry) bool {
	return isConfigName(path) && isHCL(path, d)
}

// isHCL follows symlinks to files, as Kubernetes mounts them.
func isHCL(path string, d fs.DirEntry) bool {
	if !strings.HasSuffix(path, ".hcl") {
		return false
	}
	if d.Type()&fs.ModeSymlink != 0 {
		info, err := os.Stat(path)
		return err != nil || info.Mode().IsRegular()
	}
	return d.Type().IsRegular()
}

// readBounded reads a whole file that is not larger than limit.
func readBounded(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("is a directory")}
	case !info.Mode().IsRegular():
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("is not an ordinary file")}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = &fs.PathError{Op: "read", Path: path, Err: errTooLarge(limit)}
	}
	return text, err
}

func errTooLarge(limit int64) error { return fmt.Errorf("is larger than %d MiB", limit>>20) }

// read finds, reads and parses the files at path, as many at a time as there are processors.
func (l *loader) read(path string) {
	root, paths, err := l.opts.files(path)
	if err != nil {
		l.fail("cannot read the configuration", readHint(path, err))
	}
	files, errs := make([]*file, len(paths)), make([]error, len(paths))
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	for i, p := range paths {
		work.Go(func() error {
			files[i], errs[i] = l.opts.open(root, p)
			return nil
		})
	}
	_ = work.Wait() // each file tells its own error
	for i, f := range files {
		if errs[i] != nil {
			l.fail("cannot read the configuration", readHint(paths[i], errs[i]))
			continue
		}
		l.add(f)
	}
}

func (l *loader) add(f *file) {
	l.files = append(l.files, f)
	l.config.Files = append(l.config.Files, f.path)
	l.syntaxErrors(f)
}

func readHint(path string, err error) string {
	var cause *fs.PathError
	if errors.As(err, &cause) {
		err = cause.Err
	}
	if errors.Is(err, fs.ErrNotExist) {
		hint := fmt.Sprintf("%s does not exist. Name the file or directory with -c PATH", path)
		if dir, err := os.Getwd(); err == nil {
			hint += similarPath(dir, path)
		}
		return sentence(hint)
	}
	return fmt.Sprintf("%s: %v", path, err)
}

// at is the stretch that HCL calls rng.
func (f *file) at(rng hcl.Range) spot {
	return spot{file: f, start: rng.Start.Byte, end: rng.End.Byte}
}

// source is the text of a stretch, on one line.
func (f *file) source(rng hcl.Range) string { return f.at(rng).source() }
