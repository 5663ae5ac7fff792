package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/config/layout"
)

// formatter is one run of syncd fmt.
type formatter struct {
	write, check, diff bool
	stdout, stderr     io.Writer

	print  bool // the result itself, of a single file
	differ int
	diags  config.Diagnostics
	errs   []error
}

// plain tells that no flag says what to do.
func (f *formatter) plain() bool { return !f.write && !f.check && !f.diff }

func (f *formatter) usage(args []string) error {
	switch {
	case f.write && f.check:
		return errors.New("give -w or --check, not both")
	case slices.Contains(args, "-") && (len(args) > 1 || f.write):
		return errors.New("- is standard input: it goes with no other path, and not with -w")
	}
	return nil
}

func (f *formatter) run(stdin io.Reader, args []string) error {
	if len(args) == 0 && !f.write && !f.check && piped(stdin) {
		args = []string{"-"}
	}
	if slices.Contains(args, "-") {
		f.input(stdin)
	} else {
		f.files(args)
	}
	writeDiagnostics(f.stderr, f.diags)
	if err := errors.Join(f.errs...); err != nil {
		return err
	}
	if f.diags.HasErrors() || f.check && f.differ > 0 {
		return errShown
	}
	return nil
}

// piped tells whether standard input is a pipe or a file, and neither a terminal
// nor /dev/null.
func piped(stdin io.Reader) bool {
	file, ok := stdin.(*os.File)
	if !ok {
		return true
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice == 0
}

// stdinName is what messages call standard input.
const stdinName = "<standard input>"

func (f *formatter) input(stdin io.Reader) {
	src, err := io.ReadAll(stdin)
	if err != nil {
		f.errs = append(f.errs, fmt.Errorf("read standard input: %w", err))
		return
	}
	f.print = f.plain()
	f.text(stdinName, src)
}

func (f *formatter) files(args []string) {
	if len(args) == 0 {
		args = []string{"."}
	}
	var paths []string
	for _, arg := range args {
		found, err := config.FindFiles(filepath.Clean(arg))
		if err != nil {
			f.errs = append(f.errs, err)
		}
		paths = append(paths, found...)
		f.print = len(args) == 1 && slices.Equal(found, []string{filepath.Clean(arg)}) && f.plain()
	}
	slices.Sort(paths)
	for _, path := range slices.Compact(paths) {
		src, err := os.ReadFile(path)
		if err != nil {
			f.errs = append(f.errs, err)
			continue
		}
		f.text(path, src)
	}
	if f.differ > 0 && f.plain() && !f.print {
		fmt.Fprintf(f.stderr, "%s to lay out: the same command with -w does it.\n", count(f.differ, "file"))
	}
}

// text lays out what is called name.
func (f *formatter) text(name string, src []byte) {
	diags := config.CheckSyntax(absolute(name), src, kinds())
	f.diags = append(f.diags, diags...)
	if diags.HasErrors() {
		return
	}
	out := layout.Format(src)
	if f.print {
		_, err := f.stdout.Write(out)
		f.errs = append(f.errs, err)
		return
	}
	if bytes.Equal(src, out) {
		return
	}
	f.differ++
	if f.write {
		if err := replaceFile(name, out); err != nil {
			f.errs = append(f.errs, err)
			return
		}
	}
	if f.write || f.check || !f.diff {
		fmt.Fprintln(f.stdout, name)
	}
	if f.diff {
		_, _ = f.stdout.Write(diff.Diff(name+".orig", src, name, out))
	}
}

// absolute is the path that diagnostics name, which they shorten themselves.
func absolute(name string) string {
	if path, err := filepath.Abs(name); err == nil && name != stdinName {
		return path
	}
	return name
}
