package journal_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/journal"
)

// large is what is a file of its own in these tests, in bytes.
const large = 100

func letters(c string) string { return strings.Repeat(c, large) }

// files are the contents of the payloads beside the database in dir.
func files(t *testing.T, dir string) (contents []string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "blobs", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		contents = append(contents, string(body))
	}
	return contents
}

func hasFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	if d := cmp.Diff(count(want), count(files(t, dir))); d != "" {
		t.Errorf("payloads beside the database (-want +got):\n%s", d)
	}
}

func count(list []string) map[string]int {
	n := map[string]int{}
	for _, s := range list {
		n[s]++
	}
	return n
}

// TestBlobs stores payloads beside the database, among others, and reads all of them.
func TestBlobs(t *testing.T) {
	dir := t.TempDir()
	var early atomic.Bool
	j := openIn(t, dir, journal.Options{Blob: large, Retention: time.Hour, Hooks: journal.Hooks{BeforeCommit: func() error {
		names, _ := filepath.Glob(filepath.Join(dir, "blobs", "*"))
		early.Store(len(names) == 0)
		return nil
	}}})
	a, b := letters("a"), letters("b")
	if err := appendOne(j, a); err != nil {
		t.Fatal(err)
	}
	if early.Load() {
		t.Error("the commit comes before the payload's file")
	}
	now, raw := time.Now(), []byte(b)
	records := []journal.Record{
		{ID: journal.NewID(now), Time: now, Payload: journal.Payload{Raw: []byte("small")}},
		{ID: journal.NewID(now), Time: now, Payload: journal.Payload{Raw: raw}}, // a mail to two
		{ID: journal.NewID(now), Time: now, Payload: journal.Payload{Raw: raw}},
		{ID: journal.NewID(now), Time: now, Payload: journal.Payload{Raw: []byte(a)}},
		{ID: journal.NewID(now), Time: now, Payload: journal.Payload{Raw: []byte("small too")}},
	}
	if _, err := j.Append(t.Context(), journal.Append{Source: "shop", Records: records}); err != nil {
		t.Fatal(err)
	}
	want := []string{a, "small", b, b, a, "small too"}
	for range 2 { // from memory, and from the disk
		if d := cmp.Diff(want, stored(t, j)); d != "" {
			t.Errorf("stored (-want +got):\n%s", d)
		}
		hasFiles(t, dir, a, b)
		s, err := j.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if files := databaseSize(t, dir) + 2*large; s.Bytes != files {
			t.Errorf("the journal says it has %d bytes, its files have %d", s.Bytes, files)
		}
		j.Close()
		j = openIn(t, dir, journal.Options{Blob: large, Retention: time.Hour})
	}
}

func databaseSize(t *testing.T, dir string) (n int64) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "journal.db*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		n += info.Size()
	}
	return n
}

// TestBlobsGo shows that a payload goes with the last event that has it, and that of
// appends that come to nothing none is left.
func TestBlobsGo(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var fault atomic.Bool
		j := openIn(t, dir, journal.Options{Blob: large, Retention: time.Minute, Hooks: journal.Hooks{BeforeCommit: func() error {
			if fault.Load() {
				return errFault
			}
			return nil
		}}})
		passes := func(d time.Duration) {
			time.Sleep(d)
			synctest.Wait()
		}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		now, a, b := time.Now(), letters("a"), letters("b")
		known := journal.Append{Source: "shop", DedupeWindow: time.Hour, Records: []journal.Record{
			{ID: journal.NewID(now), Time: now, Dedupe: "1", Payload: journal.Payload{Raw: []byte(a)}}}}
		_, err := j.Append(t.Context(), known)
		must(err)
		known.Records[0].Payload.Raw = []byte(letters("double"))
		_, err = j.Append(t.Context(), known)
		must(err)
		fault.Store(true)
		if err := appendOne(j, b); !errors.Is(err, errFault) {
			t.Fatal(err)
		}
		fault.Store(false)
		passes(2 * time.Second)
		hasFiles(t, dir, a)

		passes(30 * time.Second)
		must(appendOne(j, a))
		passes(40 * time.Second)
		hasFiles(t, dir, a)
		if got := stored(t, j); len(got) != 1 {
			t.Errorf("%d events are stored, want the later one", len(got))
		}
		passes(30 * time.Second)
		hasFiles(t, dir)
		if s, err := j.Stats(t.Context()); err != nil || s.Bytes != databaseSize(t, dir) {
			t.Errorf("the journal says it has %d bytes (%v), its files have %d", s.Bytes, err, databaseSize(t, dir))
		}
	})
}

// TestBlobsOfAKill opens a directory in which a kill has left files that no event has.
func TestBlobsOfAKill(t *testing.T) {
	dir := t.TempDir()
	o := journal.Options{Blob: large, Retention: time.Hour}
	synctest.Test(t, func(t *testing.T) {
		j := openIn(t, dir, o)
		if err := appendOne(j, letters("a")); err != nil {
			t.Fatal(err)
		}
		j.Abandon()
		for _, name := range []string{".new-123", strings.Repeat("0", 64)} {
			if err := os.WriteFile(filepath.Join(dir, "blobs", name), []byte("left"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		others := filepath.Join(dir, "blobs", ".keep")
		if err := os.WriteFile(others, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		j = openIn(t, dir, o)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		hasFiles(t, dir, letters("a"), "")
		if _, err := os.Stat(filepath.Join(dir, "blobs", ".new-123")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the unfinished file is still there: %v", err)
		}
		if _, err := os.Stat(others); err != nil {
			t.Errorf("a file that is not the journal's: %v", err)
		}
		if got := fmt.Sprint(stored(t, j)); got != fmt.Sprint([]string{letters("a")}) {
			t.Errorf("stored %s", got)
		}
	})
}

// TestDamagedBlob never takes something else for the payload.
func TestDamagedBlob(t *testing.T) {
	dir := t.TempDir()
	o := journal.Options{Blob: large, Retention: time.Hour}
	j := openIn(t, dir, o)
	if err := appendOne(j, letters("a")); err != nil {
		t.Fatal(err)
	}
	j.Close()
	names, err := filepath.Glob(filepath.Join(dir, "blobs", "*"))
	if err != nil || len(names) != 1 {
		t.Fatal(names, err)
	}
	j = openIn(t, dir, o)
	reads := func(want string) {
		t.Helper()
		if _, err := j.Read(t.Context(), "shop", 0, 1<<20); err == nil || !strings.Contains(err.Error(), names[0]) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want that %s is %s", err, names[0], want)
		}
	}
	if err := os.WriteFile(names[0], []byte(letters("b")), 0o600); err != nil {
		t.Fatal(err)
	}
	reads("is damaged")
	if err := os.Remove(names[0]); err != nil {
		t.Fatal(err)
	}
	reads("no such file")
}

// TestBlobsOnFullDisk has no room for a payload, and then has.
func TestBlobsOnFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=8m"); err != nil {
		t.Skipf("needs to mount a tmpfs: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, 0) })
	j := openIn(t, dir, journal.Options{Retention: time.Hour})
	t.Cleanup(func() { j.Close() })
	large := strings.Repeat("a", 3<<20)
	if err := appendOne(j, large); err != nil {
		t.Fatal(err)
	}
	later(t, appendOne(j, strings.Repeat("b", 6<<20)), "disk full")
	if err := appendOne(j, "small"); err != nil {
		t.Errorf("what there is room for: %v", err)
	}
	if err := appendOne(j, large); err != nil {
		t.Errorf("what is there already: %v", err)
	}
	hasFiles(t, dir, large)
	if got := fmt.Sprint(count(stored(t, j))); got != fmt.Sprint(count([]string{large, "small", large})) {
		t.Errorf("%d events are stored", len(stored(t, j)))
	}
}

// Large envelopes are files, too, as long as their exceptions are there.
func TestBlobsOfExceptions(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		j := openIn(t, dir, journal.Options{Blob: large, Retention: time.Hour})
		if _, err := j.Configure(t.Context(), shopFlow("crm")); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := appendOne(j, "an event"); err != nil {
				t.Fatal(err)
			}
		}
		failed := func(p journal.Position, envelope string) journal.Exception {
			return journal.Exception{Key: journal.Key{Source: "shop", Position: p}, Dead: true, Envelope: []byte(envelope)}
		}
		settle := func(s journal.Settlement) {
			t.Helper()
			s.Lane = journal.Lane{Flow: "orders", Sink: "crm"}
			if err := j.Settle(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		holds := func(want ...string) {
			t.Helper()
			list, err := j.Exceptions(t.Context(), journal.ExceptionQuery{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, ex := range list {
				got = append(got, string(ex.Envelope))
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("envelopes (-want +got):\n%s", d)
			}
			time.Sleep(3 * time.Second)
			synctest.Wait()
			var kept []string
			for e := range count(want) {
				if len(e) >= large {
					kept = append(kept, e)
				}
			}
			hasFiles(t, dir, kept...)
		}
		a, b := letters("a"), letters("b")
		settle(journal.Settlement{Failed: []journal.Exception{failed(1, a), failed(2, a), failed(3, "small")}})
		holds(a, a, "small")
		settle(journal.Settlement{Failed: []journal.Exception{failed(1, b), failed(3, b)}}) // they replace
		holds(b, a, b)
		j.Close()
		j = openIn(t, dir, journal.Options{Blob: large, Retention: time.Hour})
		holds(b, a, b)
		settle(journal.Settlement{Failed: []journal.Exception{failed(3, "small")}, Resolved: []journal.Resolution{
			{Key: journal.Key{Source: "shop", Position: 2}, Status: journal.Delivered}}})
		holds(b, "small")
		list, err := j.Exceptions(t.Context(), journal.ExceptionQuery{Bare: true})
		if err != nil || list[0].Envelope != nil {
			t.Errorf("a bare exception has an envelope: %v", err)
		}
		if _, err := j.Drop(t.Context(), list[0].ID); err != nil {
			t.Fatal(err)
		}
		holds("small")
	})
}

// On a full disk, too, a large delivery is set aside: in the room that is kept for that.
func TestLargeEnvelopeOnFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=32m"); err != nil {
		t.Skipf("needs to mount a tmpfs: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, 0) })
	j := openIn(t, filepath.Join(dir, "state"), journal.Options{Retention: time.Hour, Ballast: 8 << 20})
	t.Cleanup(func() { j.Close() })
	if _, err := j.Configure(t.Context(), shopFlow("crm")); err != nil {
		t.Fatal(err)
	}
	if err := appendOne(j, strings.Repeat("a", 5<<20)); err != nil {
		t.Fatal(err)
	}
	fillDisk(t, filepath.Join(dir, "filler"))
	envelope := strings.Repeat("e", 5<<20)
	err := j.Settle(t.Context(), journal.Settlement{Lane: journal.Lane{Flow: "orders", Sink: "crm"}, Failed: []journal.Exception{
		{Key: journal.Key{Source: "shop", Position: 1}, Envelope: []byte(envelope)}}})
	if err != nil {
		t.Fatal(err)
	}
	list, err := j.Exceptions(t.Context(), journal.ExceptionQuery{})
	if err != nil || len(list) != 1 || string(list[0].Envelope) != envelope {
		t.Errorf("%d exceptions, %v", len(list), err)
	}
	later(t, appendOne(j, "b"), "disk full")
}
