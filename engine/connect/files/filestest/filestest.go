// Package filestest holds a files.FS to its contract.
package filestest

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"testing"

	"github.com/syncd/syncd/engine/connect/files"
)

// Place is an empty directory of an FS.
type Place struct {
	FS  files.FS
	Dir string // as FS calls it
	// Disk is the same directory on this machine's disk, where links and FIFOs are
	// made, and what is done is looked at; "": it lies elsewhere, and these cases are
	// left out.
	Disk string
}

// Run tests the FS of what empty makes: each call another empty directory.
func Run(t *testing.T, empty func(t *testing.T) Place) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Place)
	}{
		{"Write", testWrite},
		{"CreateIsExclusive", testCreateIsExclusive},
		{"AppendCuts", testAppendCuts},
		{"Offsets", testOffsets},
		{"ReadsInOrder", testReadsInOrder},
		{"Grows", testGrows},
		{"ReplacedWhileOpen", testReplacedWhileOpen},
		{"RenameNeverOverwrites", testRenameNeverOverwrites},
		{"Remove", testRemove},
		{"MakeDir", testMakeDir},
		{"Missing", testMissing},
		{"HostileNames", testHostileNames},
		{"ManyFiles", testManyFiles},
		{"NotFiles", testNotFiles},
		{"Links", testLinks},
		{"Permission", testPermission},
		{"Cancelled", testCancelled},
		{"Concurrent", testConcurrent},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, empty(t)) })
	}
}

// onDisk skips what needs the disk below.
func (p Place) onDisk(t *testing.T) {
	if p.Disk == "" {
		t.Skip("the place is not on this machine")
	}
}

func (p Place) path(name string) string { return path.Join(p.Dir, name) }

func (p Place) write(t *testing.T, name, content string) {
	t.Helper()
	w, err := p.FS.Create(t.Context(), p.path(name))
	if err != nil {
		t.Fatal(err)
	}
	finish(t, w, content)
}

// finish writes content, syncs and closes.
func finish(t *testing.T, w files.Writer, content string) {
	t.Helper()
	_, err := io.WriteString(w, content)
	if err := errors.Join(err, w.Sync(), w.Close()); err != nil {
		t.Fatal(err)
	}
}

func (p Place) read(t *testing.T, name string, offset int64) string {
	t.Helper()
	f, err := p.FS.Open(t.Context(), p.path(name), offset)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (p Place) want(t *testing.T, name, content string) {
	t.Helper()
	if got := p.read(t, name, 0); got != content {
		t.Errorf("%q: got %.60q, want %.60q", name, got, content)
	}
}

// wantGone: there is nothing of this name.
func (p Place) wantGone(t *testing.T, name string) {
	t.Helper()
	if _, err := p.FS.Stat(t.Context(), p.path(name)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%q is there: %v", name, err)
	}
}

func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", what, err, want)
	}
}

// names lists the place by name.
func (p Place) names(t *testing.T) map[string]files.Info {
	t.Helper()
	infos, err := p.FS.ReadDir(t.Context(), p.Dir)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]files.Info{}
	for _, i := range infos {
		if _, twice := m[i.Name]; twice {
			t.Errorf("%q is listed twice", i.Name)
		}
		m[i.Name] = i
	}
	return m
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func isRoot() bool { return os.Getuid() == 0 }

func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
