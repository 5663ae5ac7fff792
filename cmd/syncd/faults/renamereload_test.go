//go:build linux

package faults

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A files sink that is renamed under load, with and without a moved block, while it
// has its file open: each event is in the file once, or waits on a lane that is left
// behind, shown, and goes on when its sink is back.
func TestReloadRenamesFilesSink(t *testing.T) {
	dir := t.TempDir()
	out := newSink(t)
	conf := func(name, also string) string {
		return strings.NewReplacer(`"files" "out"`, `"files" "`+name+`"`, "sink.files.out", "sink.files."+name).Replace(reloadConf(dir, out.addr, 0, "127.0.0.1:0")) + also
	}
	configure(t, dir, conf("out", ""))
	d := launch(t, dir)
	l := newSteady()
	stop := l.start(t.Context(), 2000, d.url+"/a", d.url+"/b")
	name := "out"
	for n, next := range []string{"m1", "m2", "x1", "x2", "x1", "m3", "out"} {
		l.await(200 * (n + 1))
		also := ""
		if next[0] != 'x' {
			also = "moved {\n  from = sink.files." + name + "\n  to   = sink.files." + next + "\n}\n"
		}
		configure(t, dir, conf(next, also))
		if code, said, errs := d.cli("reload"); code != 0 {
			t.Fatalf("%s to %s: %s%s", name, next, said, errs)
		}
		name = next
	}
	l.await(200 * 9)
	stop()
	var left []string
	until(t, "nothing waits where it goes on", func() bool {
		s, err := d.status()
		left = nil
		for _, lane := range s.Lanes {
			if lane.State == "orphaned" {
				left = append(left, lane.Sink)
			} else if lane.Backlog+lane.Waiting > 0 {
				return false
			}
		}
		return err == nil
	})
	if diff := cmp.Diff([]string{"sink.files.m2", "sink.files.x2"}, left); diff != "" {
		t.Errorf("lanes without a sink (-want +got):\n%s", diff)
	}
	// They come back, to files of their own: what they had not begun goes there.
	var back string
	for _, sink := range left {
		back += fmt.Sprintf("sink \"files\" %[1]q {\n  path = \"%[1]s.ndjson\"\n  format \"ndjson\" {}\n}\n", strings.TrimPrefix(sink, "sink.files."))
	}
	configure(t, dir, strings.Replace(conf(name, back), "sink.files.out]", "sink.files.out, "+strings.Join(left, ", ")+"]", 1))
	if code, said, errs := d.cli("reload"); code != 0 {
		t.Fatalf("%s%s", said, errs)
	}
	d.drained()
	d.stop()
	if len(l.failed) > 0 {
		t.Errorf("%d requests failed: %v", len(l.failed), l.failed[:min(len(l.failed), 5)])
	}
	inFile := fileCounts(t, filepath.Join(dir, "out.ndjson"))
	m2, x2 := fileCounts(t, filepath.Join(dir, "m2.ndjson")), fileCounts(t, filepath.Join(dir, "x2.ndjson"))
	for n := range l.accepted {
		if inFile[n] > 1 || inFile[n]+m2[n]+x2[n] == 0 {
			t.Errorf("event %d: %d times in the file, %d and %d in those of the lanes left behind", n, inFile[n], m2[n], x2[n])
		}
	}
	t.Logf("%d events, %d in the file", len(l.accepted), len(inFile))
}
