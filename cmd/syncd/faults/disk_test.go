//go:build linux

package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// smallDisk mounts a file system of size bytes, or skips.
func smallDisk(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Skipf("cannot mount a small file system (it needs root): %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// fill takes all room that is left, and gives it back.
func fill(t *testing.T, dir string) (release func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 64<<10); len(block) > 0; {
		if _, err := f.Write(block); errors.Is(err, syscall.ENOSPC) {
			block = block[:len(block)/2]
		} else if err != nil {
			t.Fatal(err)
		}
	}
	return func() { os.Remove(path) }
}

// With the disk full the daemon answers "later" and stays up; when there is room
// again it goes on by itself, and nothing that it accepted is missing.
func TestFullDisk(t *testing.T) {
	state := smallDisk(t, 96<<20)
	dir := t.TempDir()
	out := newSink(t)
	configure(t, dir, fmt.Sprintf("daemon { state_dir = %q }\nlistener \"http\" \"in\" { address = \"127.0.0.1:0\" }\n", state)+fmt.Sprintf(killConf, out.addr))
	d := launch(t, dir)
	d.stateDir = state
	l := &load{accepted: map[int]bool{}}
	ctx, stop := context.WithCancel(t.Context())
	loaded := make(chan struct{})
	go func() {
		defer close(loaded)
		l.run(ctx, 4, func() string { return d.url + "/in" })
	}()
	taken := func() int { l.mu.Lock(); defer l.mu.Unlock(); return len(l.accepted) }
	until(t, "200 events accepted", func() bool { return taken() >= 200 })
	for range 2 {
		release := fill(t, state)
		until(t, "503 for a full disk", func() bool {
			code, answer, retry := once(t, d.url+"/in")
			if code == http.StatusAccepted {
				release() // some room was left, or has become free: take that too
				release = fill(t, state)
			}
			return code == http.StatusServiceUnavailable && retry != "" && strings.Contains(answer, "disk")
		})
		release()
		began, before := time.Now(), taken()
		until(t, "events accepted again", func() bool { return taken() > before+50 })
		t.Logf("accepted again %v after there was room", time.Since(began).Round(time.Millisecond))
	}
	stop()
	<-loaded
	select {
	case <-d.done:
		t.Fatal("the daemon ended")
	default:
	}
	d.drained()
	inFile := fileCounts(t, filepath.Join(dir, "out.ndjson"))
	for n := range l.accepted {
		if n%7 != 0 && inFile[n] != 1 {
			t.Errorf("event %d was accepted and is in the file %d times", n, inFile[n])
		}
	}
	d.stop()
}

func once(t *testing.T, url string) (code int, answer, retryAfter string) {
	t.Helper()
	c := client()
	defer c.CloseIdleConnections()
	res, err := c.Post(url, "application/json", strings.NewReader(`{"n":7}`))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(b), res.Header.Get("Retry-After")
}

// An output directory that cannot be written is named in the error, with the line
// that a unit needs; the events wait, and go on when it can be.
func TestReadOnlyOutput(t *testing.T) {
	out := smallDisk(t, 1<<20)
	if err := syscall.Mount("", out, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Skipf("cannot mount read-only: %v", err)
	}
	dir := t.TempDir()
	configure(t, dir, acceptConf+fmt.Sprintf(`
sink "files" "out" {
  path = "%s/out.ndjson"
  format "ndjson" {}
}
flow "f" {
  from = source.webhook.in
  to   = sink.files.out
}
`, out))
	t.Setenv("INVOCATION_ID", "as-under-systemd")
	d := launch(t, dir)
	if code, answer, _ := once(t, d.url+"/in"); code != http.StatusAccepted {
		t.Fatalf("answered %d %s", code, answer)
	}
	until(t, "the lane says why it stopped", func() bool {
		s, err := d.status()
		return err == nil && len(s.Lanes) == 1 && s.Lanes[0].State == "stopped" &&
			strings.Contains(s.Lanes[0].LastError, "ReadWritePaths="+out)
	})
	if err := syscall.Mount("", out, "", syscall.MS_REMOUNT, ""); err != nil {
		t.Fatal(err)
	}
	d.drained()
	if got := fileCounts(t, filepath.Join(out, "out.ndjson")); got[7] != 1 {
		t.Errorf("in the file: %v", got)
	}
	d.stop()
}
