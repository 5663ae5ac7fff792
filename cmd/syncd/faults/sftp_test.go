//go:build linux

package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/connect/sftp/sshdtest"
)

const uploadConf = `
source "webhook" "in" {
  path = "/in"
  verify "none" {}
}
connection "sftp" "partner" {
  host        = %q
  port        = %d
  user        = %q
  private_key = file("key")
  known_hosts = %q
}
sink "files" "rolled" {
  connection  = connection.sftp.partner
  path        = "%[5]s/rolled/out.ndjson"
  done_marker = "{{ meta.file.name }}.ok"
  roll {
    every = "2s"
    rows  = 200
  }
  breaker { pause = "1s" }
}
sink "files" "in_place" {
  connection = connection.sftp.partner
  path       = "%[5]s/in_place/out.ndjson"
  breaker { pause = "1s" }
}
flow "orders" {
  from = source.webhook.in
  map { n = "body.n" }
  to = [sink.files.rolled, sink.files.in_place]
}
`

// Daemon and server are killed in turn while files are uploaded: no accepted event is
// missing, none is there twice, and each complete file has its marker.
func TestKillsWhileUploading(t *testing.T) {
	kills := 4
	if long {
		kills = 20
	}
	server := sshdtest.Start(t)
	dir, there := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte(server.Key), 0o600); err != nil {
		t.Fatal(err)
	}
	configure(t, dir, fmt.Sprintf(uploadConf, server.Host, server.Port, server.User, server.KnownHosts, there))
	d := launch(t, dir)
	var url atomic.Value
	url.Store(d.url)
	l := &load{accepted: map[int]bool{}}
	ctx, stop := context.WithCancel(t.Context())
	loaded := make(chan struct{})
	go func() {
		defer close(loaded)
		l.run(ctx, 4, func() string { return url.Load().(string) + "/in" })
	}()
	for k := range kills {
		<-time.After(200*time.Millisecond + rand.N(300*time.Millisecond)) // the moment is the point
		server.Signal(syscall.SIGKILL)
		if k%2 == 0 {
			<-time.After(rand.N(300 * time.Millisecond))
			d.kill()
			d = launch(t, dir)
			url.Store(d.url)
		}
	}
	stop()
	<-loaded
	d.drained()
	rolled := wholeFiles(t, filepath.Join(there, "rolled"))
	d.stop()
	inPlace := fileCounts(t, filepath.Join(there, "in_place", "out.ndjson"))
	for n := range l.accepted {
		if rolled[n] != 1 || inPlace[n] != 1 {
			t.Errorf("event %d is in the rolled files %d times, in the other %d times", n, rolled[n], inPlace[n])
		}
	}
	t.Logf("%d kills, %d accepted", kills, len(l.accepted))
	if len(l.accepted) < 50*kills {
		t.Errorf("no load worth the name")
	}
}

// wholeFiles waits until all files in dir are complete, wants a marker for each and
// nothing else, and counts what is in them.
func wholeFiles(t *testing.T, dir string) map[int]int {
	t.Helper()
	end := time.Now().Add(30 * time.Second)
	for {
		names := map[string]bool{}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		open := 0
		for _, e := range entries {
			names[e.Name()] = true
			if strings.HasPrefix(e.Name(), ".") {
				open++
			}
		}
		counts, unmarked := map[int]int{}, 0
		for name := range names {
			if strings.HasSuffix(name, ".ndjson") {
				for n, times := range fileCounts(t, filepath.Join(dir, name)) {
					counts[n] += times
				}
				if !names[name+".ok"] {
					unmarked++
				}
			}
		}
		if open == 0 && unmarked == 0 {
			return counts
		}
		if time.Now().After(end) {
			t.Fatalf("%d files are not complete, %d have no marker: %v", open, unmarked, names)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
