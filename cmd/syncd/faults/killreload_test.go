//go:build linux

package faults

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/admin"
)

// reloadUntilGone takes edits over, one in four a broken one and one in five with a
// net, until the daemon does not answer any more. It gives the number of the next edit.
func reloadUntilGone(t *testing.T, d *daemon, conf func(n int) string, n int) int {
	t.Helper()
	c, err := admin.Dial(t.Context(), admin.Places("", d.stateDir))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for ; ; n++ {
		text, o := conf(n), admin.ReloadOptions{}
		if n%4 == 3 {
			text = breakings[n/4%len(breakings)](text)
		}
		if n%5 == 4 {
			o.Confirm = time.Hour
		}
		writeConf(t, d.dir, text)
		out, err := c.Reload(t.Context(), o)
		if err != nil {
			return n + 1
		}
		if out.OK == (n%4 == 3) {
			t.Errorf("edit %d: %+v", n, out)
		}
	}
}

// Killed at random moments amid reloads under load: after each start the files run,
// whole, the sums hold, and in the end no acknowledged event is lost, none is twice in
// the file, and each came to the HTTP sink under one key.
func TestKillsAmidReloads(t *testing.T) {
	kills := 5
	if long {
		kills = 40
	}
	dir := t.TempDir()
	out := newSink(t)
	conf := func(n int) string { return reloadConf(dir, out.addr, n, "127.0.0.1:0") }
	configure(t, dir, conf(0))
	d := launch(t, dir)
	var url atomic.Value
	url.Store(d.url)
	l := &load{accepted: map[int]bool{}}
	ctx, stop := context.WithCancel(t.Context())
	loaded := make(chan struct{})
	go func() {
		defer close(loaded)
		l.run(ctx, 6, func() string { return url.Load().(string) + "/a" })
	}()
	n := 1
	for range kills {
		process := d.cmd.Process
		time.AfterFunc(100*time.Millisecond+rand.N(300*time.Millisecond), func() { process.Kill() }) // the moment is the point
		n = reloadUntilGone(t, d, conf, n)
		<-d.done
		text := conf(n)
		writeConf(t, dir, text)
		d = launch(t, dir)
		url.Store(d.url)
		d.runs(text)
	}
	stop()
	<-loaded
	s := d.drained()
	d.stop()
	t.Logf("%d kills amid %d reloads, %d accepted, http sink: %d deliveries of %d", kills, n, len(l.accepted), out.total, len(out.bodies))
	if len(l.accepted) < 20*kills {
		t.Fatalf("only %d events were accepted: no load worth the name", len(l.accepted))
	}
	inFile := fileCounts(t, filepath.Join(dir, "out.ndjson"))
	for n, times := range inFile {
		if times > 1 {
			t.Errorf("event %d is in the file %d times", n, times)
		}
	}
	keys := map[int]int{}
	for _, bodies := range out.bodies {
		keys[number(t, bodies[0])]++
	}
	for n := range l.accepted {
		if inFile[n] != 1 || keys[n] != 1 {
			t.Errorf("event %d was accepted: %d times in the file, under %d keys at the HTTP sink", n, inFile[n], keys[n])
		}
	}
	for _, f := range s.Flows {
		if f.Address == "flow.orders" && (f.Accepted < int64(len(l.accepted)) || f.Dead != 0 || f.Delivered != f.Accepted) {
			t.Errorf("counts after all: %+v, acknowledged %d", f, len(l.accepted))
		}
	}
}

// runs checks that text is what runs, and that the sums hold.
func (d *daemon) runs(text string) {
	d.t.Helper()
	s, err := d.status()
	if err != nil || s.Stale != nil || s.KeepBy != nil {
		d.t.Errorf("after a start: %+v, to be kept by %v, %v", s.Stale, s.KeepBy, err)
	}
	d.checkSums(s)
	if _, shown, errs := d.cli("config", "show"); shown != "# conf.hcl\n"+text {
		d.t.Errorf("what runs is not what the files say:\n%s%s\nbut\n%s", shown, errs, text)
	}
	if code, said, errs := d.cli("plan"); code != 0 {
		d.t.Errorf("a reload would change something: %s%s", said, errs)
	}
}

// A configuration that is to be kept, and with which the daemon dies, does not come back.
func TestKillBeforeKept(t *testing.T) {
	dir := t.TempDir()
	out := newSink(t)
	good, next := reloadConf(dir, out.addr, 0, "127.0.0.1:0"), reloadConf(dir, out.addr, 1, "127.0.0.1:0")
	configure(t, dir, good)
	d := launch(t, dir)
	writeConf(t, dir, next)
	if code, said, errs := d.cli("reload", "--confirm", "1h"); code != 0 || !strings.Contains(said, "unless you say: syncd reload --keep") {
		t.Fatalf("%s%s", said, errs)
	}
	if _, said, _ := d.cli("status"); !strings.Contains(said, "GOES BACK in ") {
		t.Error(said)
	}
	d.kill()
	d = launch(t, dir)
	if _, shown, _ := d.cli("config", "show"); shown != "# conf.hcl\n"+good {
		t.Errorf("what runs:\n%s", shown)
	}
	if s, err := d.status(); err != nil || s.Stale == nil || !strings.Contains(s.Stale.Reason, "was brought back; the files say something else") {
		t.Errorf("%+v %v", s.Stale, err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "conf.hcl")); err != nil || string(text) != next {
		t.Errorf("the files were touched: %v\n%s", err, text)
	}
	if code, said, errs := d.cli("reload"); code != 0 {
		t.Errorf("%s%s", said, errs)
	}
	d.runs(next)
	d.kill()
	d = launch(t, dir)
	d.runs(next)
	d.stop()
}
