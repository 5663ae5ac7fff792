package journal_test

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/journal"
	"modernc.org/sqlite"
)

func refused(t *testing.T, dir string, words ...string) {
	t.Helper()
	j, err := journal.Open(dir, journal.Options{Ballast: -1})
	if err == nil {
		j.Close()
		t.Fatal("it was opened")
	}
	for _, w := range append(words, dir) {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the error does not say %q: %v", w, err)
		}
	}
}

func TestSecondProcess(t *testing.T) {
	dir := t.TempDir()
	j := openIn(t, dir, journal.Options{})
	refused(t, dir, "another syncd", fmt.Sprintf("(pid %d)", os.Getpid()))
	j.Close()
	openIn(t, dir, journal.Options{})
}

func TestPermissions(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "state")
	j := openIn(t, dir, journal.Options{Ballast: 4096})
	if err := appendOne(j, "a"); err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(dir)
	if err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("the directory: %v, %v", st.Mode(), err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 5 {
		t.Errorf("files: %v, %v", files, err)
	}
	for _, f := range files {
		if i, err := f.Info(); err != nil || i.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f.Name(), i.Mode(), err)
		}
	}
}

// statement runs SQL on a closed journal's database.
func statement(t *testing.T, dir, query string) (answer driver.Value) {
	t.Helper()
	c, err := new(sqlite.Driver).Open(filepath.Join(dir, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := c.Prepare(query)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rows, err := s.Query(nil) //nolint:staticcheck // the driver's simplest way
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	row := make([]driver.Value, len(rows.Columns()))
	if err := rows.Next(row); err == nil && len(row) > 0 {
		return row[0]
	}
	return nil
}

func TestSettingsOfTheDatabase(t *testing.T) {
	dir := t.TempDir()
	openIn(t, dir, journal.Options{}).Close()
	for pragma, want := range map[string]any{"auto_vacuum": int64(2), "journal_mode": "wal", "page_size": int64(4096), "user_version": int64(3)} {
		if got := statement(t, dir, "PRAGMA "+pragma); got != want {
			t.Errorf("%s is %v, want %v", pragma, got, want)
		}
	}
}

func TestNewerSchema(t *testing.T) {
	dir := t.TempDir()
	openIn(t, dir, journal.Options{}).Close()
	statement(t, dir, "PRAGMA user_version = 99")
	refused(t, dir, "newer syncd", "schema 99")
}

func TestForeignDatabase(t *testing.T) {
	dir := t.TempDir()
	openIn(t, dir, journal.Options{}).Close()
	statement(t, dir, "PRAGMA application_id = 7")
	refused(t, dir, "another program")
}

func TestDamagedDatabase(t *testing.T) {
	for name, damage := range map[string]func(b []byte) []byte{
		"no database": func(b []byte) []byte { return []byte("hello, this is no database at all") },
		"short":       func(b []byte) []byte { return b[:7] },
		"header":      func(b []byte) []byte { copy(b[16:], "xxxxxxxxxxxxxxxx"); return b },
		"schema":      func(b []byte) []byte { copy(b[100:], strings.Repeat("\xff", 900)); return b },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			openIn(t, dir, journal.Options{}).Close()
			file := filepath.Join(dir, "journal.db")
			good, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			bad := damage(good)
			if err := os.WriteFile(file, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			refused(t, dir, "damaged", "copy the whole directory")
			after, err := os.ReadFile(file)
			if err != nil || string(after) != string(bad) {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
}

func TestDamagedFrame(t *testing.T) {
	dir := t.TempDir()
	j := openIn(t, dir, journal.Options{})
	if err := appendOne(j, "a"); err != nil {
		t.Fatal(err)
	}
	j.Close()
	statement(t, dir, "UPDATE frames SET body = x'01ff'")
	j = openIn(t, dir, journal.Options{Retention: time.Hour})
	if _, err := j.Read(t.Context(), "shop", 0, 1); err == nil || !strings.Contains(err.Error(), "shop") {
		t.Errorf("a damaged frame was read: %v", err)
	}
	if err := appendOne(j, "b"); err != nil {
		t.Errorf("append beside a damaged frame: %v", err)
	}
}

func TestUnusableDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, filepath.Join(file, "state"))
	if os.Getuid() == 0 {
		return // who may write everywhere
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, "writable", fmt.Sprint("uid ", os.Getuid()))
	if _, err := os.Stat(filepath.Join(dir, "journal.db")); !errors.Is(err, os.ErrNotExist) {
		t.Error("something was written")
	}
}
