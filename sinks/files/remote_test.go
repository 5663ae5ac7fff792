package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/files"
	"github.com/syncd/syncd/engine/connect/sftp"
	"github.com/syncd/syncd/engine/connect/sftp/sshdtest"
	"golang.org/x/crypto/ssh"
)

// reach is a connection to a server.
func reach(t testing.TB, host string, port int, user, key string, hostKey ssh.PublicKey) files.FS {
	t.Helper()
	cfg := sftp.Kind.NewConfig().(*sftp.Config)
	cfg.Host, cfg.Port, cfg.User, cfg.HostKey = host, port, user, string(ssh.MarshalAuthorizedKey(hostKey))
	cfg.PrivateKey, cfg.Timeout = component.NewSecret(key), 10*time.Second
	c, err := sftp.Kind.Open(component.Env{Log: slog.New(slog.DiscardHandler)}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.(io.Closer).Close() })
	return c.(files.FS)
}

func reachServer(t testing.TB, s *sshdtest.Server) files.FS {
	return reach(t, s.Host, s.Port, s.User, s.Key, s.HostKey.PublicKey())
}

// TestCrashAnywhereOverSFTP: the promise is the same as on a disk.
func TestCrashAnywhereOverSFTP(t *testing.T) {
	place := reachServer(t, sshdtest.Start(t))
	for name, cfg := range map[string]Config{
		"in place": {},
		"rolled":   {Roll: &Roll{Rows: 3, Every: time.Minute}},
	} {
		t.Run(name, func(t *testing.T) {
			steps := 0
			for crashed := true; crashed; steps++ {
				dir := fast(t)
				cfg.Path, cfg.OnShrunk = template(t, filepath.Join(dir, "out/rows.ndjson")), "error"
				e := newEngineAt(t, place, &cfg)
				crashed = e.crashRun(11, 4, steps, func(n int) any { return id(n) })
				wantIDs(t, dir+"/out", 11, fmt.Sprintf("crash before step %d", steps))
			}
			if steps < 15 {
				t.Errorf("only %d steps to crash before", steps)
			}
		})
	}
}

func wantIDs(t *testing.T, dir string, n int, when string) {
	t.Helper()
	var want []string
	for i := range n {
		want = append(want, fmt.Sprint(i))
	}
	if diff := cmp.Diff(want, rowsIn(t, dir, "rows", ".ndjson")); diff != "" {
		t.Fatalf("%s: %s", when, diff)
	}
}

// persist sends rows 0 to n-1 until each is settled, however often that fails.
func (e *engine) persist(n, batch int) (failures int) {
	e.t.Helper()
	end := time.Now().Add(2 * time.Minute)
	for e.next < n {
		var bodies []any
		for i := e.next; i < min(e.next+batch, n); i++ {
			bodies = append(bodies, id(i))
		}
		r := e.deliver(bodies...)
		if r.Errors[0] == nil {
			e.settle(r)
			continue
		}
		failures++
		if component.IsPermanent(r.Errors[0]) || time.Now().After(end) {
			e.t.Fatalf("row %d: %v", e.next, r.Errors[0])
		}
		time.Sleep(min(component.Wait(r.Errors[0]), time.Second))
	}
	for e.clock = e.clock.Add(time.Hour); e.cfg.Roll != nil && len(e.sink.parts.waiting) > 0; {
		if e.sink.tick(context.Background()); time.Now().After(end) {
			e.t.Fatal("the last file is never published")
		}
		time.Sleep(5 * time.Millisecond) // the server needs the processor as well
	}
	return failures
}

// TestCutAnywhere: a connection that is cut after so many bytes, whatever was on its
// way then, costs no row and doubles none.
func TestCutAnywhere(t *testing.T) {
	s := sshdtest.Serve(t, &ssh.ServerConfig{PublicKeyCallback: func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) { return nil, nil }})
	key := sshdtest.PEM(t, sshdtest.NewKey(t))
	p := sshdtest.NewProxy(t, fmt.Sprintf("%s:%d", s.Host, s.Port))
	for name, cfg := range map[string]Config{
		"in place": {},
		"rolled":   {Roll: &Roll{Rows: 3, Every: time.Minute}},
		"marked":   {Roll: &Roll{Rows: 3, Every: time.Minute}, DoneMarker: template(t, "../done/{{ meta.file.name }}")},
	} {
		t.Run(name, func(t *testing.T) {
			place := reach(t, p.Host, p.Port, "acme", key, s.HostKey)
			cuts := p.Cuts()
			for after, all := int64(1), false; !all; after += 397 {
				dir := fast(t)
				cfg.Path, cfg.OnShrunk = template(t, filepath.Join(dir, "out/rows.ndjson")), "error"
				if _, err := place.ReadDir(t.Context(), dir); err != nil { // it is there, whatever came before
					t.Fatal(err)
				}
				before := p.Passed()
				p.CutAfter(after)
				e := newEngineAt(t, place, &cfg)
				e.persist(10, 4)
				e.start() // what could not be removed after the cut
				e.persist(11, 4)
				wantIDs(t, dir+"/out", 11, fmt.Sprintf("cut after %d bytes", after))
				if cfg.DoneMarker.IsSet() {
					wantMarkers(t, dir)
				}
				all = p.Passed()-before < after
			}
			if p.CutAfter(1 << 40); p.Cuts()-cuts < 10 {
				t.Errorf("only %d cuts", p.Cuts()-cuts)
			}
		})
	}
}

func wantMarkers(t *testing.T, dir string) {
	t.Helper()
	for name := range tree(t, dir+"/out") {
		if _, ok := tree(t, dir+"/done")[name]; !ok {
			t.Fatalf("%s has no marker", name)
		}
	}
}

// TestServerDies: killed in the middle of an upload, again and again.
func TestServerDies(t *testing.T) {
	s := sshdtest.Start(t)
	dir := fast(t)
	e := newEngineAt(t, reachServer(t, s), &Config{Path: template(t, dir+"/rows.ndjson"), Roll: &Roll{Size: 64 << 10, Every: time.Minute}})
	kills, failures, rows := 0, 0, 0
	for ; kills < 8; kills++ {
		rows += 100
		e.persist(rows, 100) // connected
		rows += 5000
		var kill sync.WaitGroup
		left := rand.N(15) + 1 // there are more changes than that
		e.crash = func(string, string) error {
			if left--; left == 0 {
				kill.Go(func() { s.Signal(syscall.SIGKILL) })
			}
			if left == 0 && kills%2 == 0 { // else while the change is under way
				kill.Wait()
			}
			return nil
		}
		failures += e.persist(rows, 500)
		kill.Wait()
	}
	e.persist(rows+100, 50)
	wantIDs(t, dir, rows+100, "in the end")
	if failures < kills/2 {
		t.Errorf("%d calls failed of %d kills", failures, kills)
	}
	t.Logf("%d rows, %d kills, %d failed calls", rows, kills, failures)
}

// TestRemoteRefusals: what the server forbids stops the lane and makes no dead letters.
func TestRemoteRefusals(t *testing.T) {
	s := sshdtest.Start(t, "ForceCommand internal-sftp -R") // read-only
	e := newEngineAt(t, reachServer(t, s), &Config{Path: template(t, fast(t)+"/a.ndjson")})
	err := e.deliver(id(1)).Errors[0]
	if !component.IsUnwell(err) || !strings.Contains(err.Error(), "at connection.sftp.test: ") || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("got %v", err)
	}
}

// TestGoesOnWithWhatIsThere: a remote file that somebody else began, and a tail that
// was never settled.
func TestGoesOnWithWhatIsThere(t *testing.T) {
	place := reachServer(t, sshdtest.Start(t))
	dir := fast(t)
	if err := os.WriteFile(dir+"/a.ndjson", []byte(`{"id":0}`), 0o644); err != nil {
		t.Fatal(err)
	}
	e := newEngineAt(t, place, &Config{Path: template(t, dir+"/a.ndjson"), OnShrunk: "error"})
	e.send(id(1))
	f, err := os.OpenFile(dir+"/a.ndjson", os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(bytes.Repeat([]byte("never settled"), 1000)); err != nil {
		t.Fatal(err)
	}
	f.Close()
	e.send(id(2))
	wantTree(t, dir, map[string]string{"a.ndjson": "{\"id\":0}\n{\"id\":1}\n{\"id\":2}\n"})
	if err := os.Truncate(dir+"/a.ndjson", 5); err != nil {
		t.Fatal(err)
	}
	if err := e.deliver(id(3)).Errors[0]; !component.IsUnwell(err) || !strings.Contains(err.Error(), "27 bytes on record, 5 found") {
		t.Errorf("got %v", err)
	}
}

// TestRenameCutInTwo: a server that is killed while it renames can leave both names to
// a part. It is published once, also under a name with a number.
func TestRenameCutInTwo(t *testing.T) {
	place := reachServer(t, sshdtest.Start(t))
	for _, taken := range []string{"", "somebody else's"} {
		dir := fast(t)
		e := newEngineAt(t, place, &Config{Path: template(t, dir+"/a.ndjson"), Roll: &Roll{Rows: 2}})
		want := map[string]string{"a.ndjson": "{\"id\":0}\n{\"id\":1}\n"}
		if taken != "" {
			want = map[string]string{"a.ndjson": taken, "a-2.ndjson": want["a.ndjson"]}
			if err := os.WriteFile(dir+"/a.ndjson", []byte(taken), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		e.crash = func(op, to string) error {
			if op != "rename" || taken != "" && filepath.Base(to) == "a.ndjson" {
				return nil
			}
			if err := os.Link(dir+"/.a.ndjson.part", to); err != nil {
				t.Fatal(err)
			}
			e.crash = nil
			return errors.New("the server was killed")
		}
		e.send(id(0), id(1))
		e.start()
		e.send(id(2))
		want[".a.ndjson.2.part"] = "{\"id\":2}\n"
		wantTree(t, dir, want)
	}
}
