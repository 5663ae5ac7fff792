package config

import (
	"bytes"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// files are the files of the configuration at path: those on disk and those that
// an editor holds for it.
func (o Options) files(path string) (root string, files []string, err error) {
	root, files, err = findFiles(path)
	if len(o.Overlay) == 0 {
		return root, files, err
	}
	path, absErr := filepath.Abs(path)
	if absErr != nil {
		return "", nil, absErr
	}
	for p := range o.Overlay {
		if p == path || belongs(path, p) {
			files = append(files, p)
		}
	}
	slices.Sort(files)
	files = slices.Compact(files)
	switch {
	case err == nil || len(files) == 0:
		return root, files, err
	case slices.Contains(files, path):
		return filepath.Dir(path), files, nil
	}
	return path, files, nil
}

// belongs tells whether a directory's configuration takes the file at path, which
// need not be on disk.
func belongs(dir, path string) bool {
	name, err := filepath.Rel(dir, path)
	if err != nil || !isConfigName(path) {
		return false
	}
	hidden := func(part string) bool { return strings.HasPrefix(part, ".") } // also .., which leads out of it
	return !slices.ContainsFunc(strings.Split(name, string(filepath.Separator)), hidden)
}

// isConfigName tells whether a file of a directory is one of its configuration.
func isConfigName(path string) bool {
	return strings.HasSuffix(path, ".hcl") && !strings.HasSuffix(path, ".test.hcl")
}

// open reads and parses a file, or takes it as it was parsed before.
func (o Options) open(root, path string) (*file, error) {
	text, held := o.Overlay[path]
	if !held {
		var err error
		if text, err = readBounded(path, maxFile); err != nil {
			return nil, err
		}
	} else if len(text) > maxFile {
		return nil, &fs.PathError{Op: "read", Path: path, Err: errTooLarge(maxFile)}
	}
	name, err := filepath.Rel(root, path)
	if err != nil {
		name = filepath.Base(path)
	}
	if f := o.Earlier.file(path); f != nil && f.name == name && bytes.Equal(f.text, text) {
		return f.again(), nil
	}
	return newFile(path, name, text), nil
}

// again is f as it was when it had just been parsed.
func (f *file) again() *file {
	return &file{path: f.path, name: f.name, text: f.text, lines: f.lines, body: f.body, faults: f.faults}
}
