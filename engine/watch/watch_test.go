package watch

import (
	"bytes"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a watcher in a directory of its own, with "conf" as the configuration
// and "mark" as another file that was read.
type rig struct {
	*Watcher
	t     *testing.T
	dir   string
	log   *buffer
	names chan string // of events that count
}

type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// newRig makes the watcher, which does not run yet. Its bursts end when expect
// says so, however long a busy machine takes for what happens in them.
func newRig(t *testing.T) *rig {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, dir: dir, log: &buffer{}, names: make(chan string, 1<<16)}
	r.Watcher = newWatcher(slog.New(slog.NewTextHandler(r.log, nil)), newBurst(time.Hour, 2*time.Hour))
	r.heard = func(name string) { r.names <- strings.TrimPrefix(name, dir+"/") }
	return r
}

// start watches conf and the files as they stand.
func (r *rig) start(files ...string) {
	r.write("mark", "0")
	go r.run()
	r.t.Cleanup(r.Close)
	r.set(files...)
}

func (r *rig) set(files ...string) {
	paths := []string{r.path("mark")}
	for _, f := range files {
		paths = append(paths, r.path(f))
	}
	r.Set(r.path("conf"), paths, nil, time.Now().Add(time.Hour))
}

func (r *rig) path(name string) string { return filepath.Join(r.dir, name) }

func (r *rig) ok(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// write truncates and writes, after making the directory.
func (r *rig) write(name, text string) {
	r.t.Helper()
	r.ok(os.MkdirAll(filepath.Dir(r.path(name)), 0o755))
	r.ok(os.WriteFile(r.path(name), []byte(text), 0o644))
}

func (r *rig) sh(script string) {
	r.t.Helper()
	cmd := exec.Command("sh", "-euc", script)
	cmd.Dir = r.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		r.t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

// report waits for one and gives its paths below dir.
func (r *rig) report() string {
	r.t.Helper()
	select {
	case changed := <-r.Changes():
		for i, path := range changed {
			changed[i] = strings.TrimPrefix(path, r.dir+"/")
		}
		return strings.Join(changed, " ")
	case <-time.After(20 * time.Second): // sooner than the safety poll, which hides what events miss
		r.t.Fatal("no report")
		return ""
	}
}

// expect wants what has happened to be one burst, and the report to name these
// files, sorted; "" for none. It returns the events that counted.
func (r *rig) expect(want string) (heard []string) {
	r.t.Helper()
	r.write("mark.new", rand.Text())
	r.ok(os.Rename(r.path("mark.new"), r.path("mark"))) // one event, after all the others
	for name := r.event(); name != "mark"; name = r.event() {
		heard = append(heard, name)
	}
	if want != "" && heard == nil {
		r.t.Errorf("no event of %s", want)
	}
	r.burst.timer.Reset(0)
	if got, want := r.report(), strings.TrimSpace(want+" mark"); got != want {
		r.t.Errorf("reported %q, want %q", got, want)
	}
	return heard
}

func (r *rig) event() string {
	r.t.Helper()
	select {
	case name := <-r.names:
		return name
	case <-time.After(20 * time.Second):
		r.t.Fatal("no event")
		return ""
	}
}

func TestBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBurst(quiet, bound)
		began := time.Now()
		over := func() time.Duration {
			<-b.over()
			b.end()
			return time.Since(began)
		}
		b.note()
		time.Sleep(quiet - 1)
		b.note()
		if got := over(); got != 2*quiet-1 {
			t.Errorf("two changes: reported after %s", got)
		}

		began = time.Now()
		stop := make(chan bool)
		go func() {
			for time.Since(began) < 3*bound {
				time.Sleep(quiet / 2)
				stop <- false
			}
			close(stop)
		}()
		var reports []time.Duration
		b.note()
		for going := true; going; {
			select {
			case _, going = <-stop:
				if going {
					b.note()
				}
			case <-b.over():
				b.end()
				reports = append(reports, time.Since(began).Round(quiet/2))
			}
		}
		reports = append(reports, over().Round(quiet/2))
		if len(reports) < 3 || reports[0] != bound {
			t.Errorf("changes without end were reported after %v", reports)
		}
		if last := reports[len(reports)-1]; last > 3*bound+quiet {
			t.Errorf("the last report came after %s", last)
		}
	})
}

// A file that is written to without end is reported all the same.
func TestWritingWithoutEnd(t *testing.T) {
	r := newRig(t)
	r.burst, r.heard = newBurst(quiet, 3*quiet), func(string) {}
	r.write("conf/a.hcl", "")
	r.start()
	stop, stopped := make(chan bool), make(chan bool)
	f, err := os.OpenFile(r.path("conf/a.hcl"), os.O_WRONLY|os.O_APPEND, 0)
	r.ok(err)
	go func() {
		defer close(stopped)
		defer f.Close()
		for {
			select {
			case <-stop:
				return
			default:
				f.WriteString("x")
			}
		}
	}()
	for range 3 {
		if got := r.report(); got != "conf/a.hcl" {
			t.Errorf("reported %q", got)
		}
	}
	close(stop)
	<-stopped
}

// What changes between reading and watching is reported, as far as it is not known
// that the same was read.
func TestChangedWhileRead(t *testing.T) {
	r := newRig(t)
	r.burst = newBurst(quiet, bound)
	read := time.Now().Add(time.Minute) // other files of this test are older than that
	for name, text := range map[string]string{"conf/a.hcl": "anything", "conf/c.hcl": "read", "conf/d.hcl": "changed"} {
		r.write(name, text)
		r.ok(os.Chtimes(r.path(name), read, read))
	}
	go r.run()
	t.Cleanup(r.Close)
	r.write("conf/b.hcl", "read")
	r.Set(r.path("conf"), nil, map[string][]byte{r.path("conf/c.hcl"): []byte("read"), r.path("conf/d.hcl"): []byte("read")}, read)
	if got := r.report(); got != "conf/a.hcl conf/d.hcl" {
		t.Errorf("reported %q", got)
	}
}

// A report, the reading that it leads to and the next Set leave no gap: what
// changed after the report is reported again, whether it was read or not.
func TestChangedBeforeSet(t *testing.T) {
	for _, change := range []string{"echo new >conf/a.hcl", "rm conf/a.hcl", "echo new >conf/b.hcl"} {
		r := newRig(t)
		r.burst = newBurst(quiet, bound)
		r.write("conf/a.hcl", "old")
		r.write("conf/c.hcl", "old")
		r.start()
		r.dirs.add = func(string) error { return nil } // events are lost from here on
		for dir := range r.now.dirs {
			r.dirs.drop(dir)
		}
		r.sh(change)
		r.Set(r.path("conf"), []string{r.path("mark")}, nil, time.Now().Add(-time.Minute))
		if got, want := r.report(), change[strings.Index(change, "conf"):]; got != want {
			t.Errorf("%s: reported %q", change, got)
		}
	}
}

// Reports that nobody has taken yet are put together.
func TestReportsAddUp(t *testing.T) {
	w := newWatcher(slog.New(slog.DiscardHandler), newBurst(quiet, bound))
	defer w.dirs.close()
	w.report([]string{"/b", "/c"})
	w.report([]string{"/a", "/b"})
	if diff := cmp.Diff([]string{"/a", "/b", "/c"}, <-w.Changes()); diff != "" {
		t.Error(diff)
	}
}

func TestPolling(t *testing.T) {
	r := newRig(t)
	r.write("conf/a.hcl", "old")
	r.write("conf/sub/b.hcl", "old")
	r.dirs.add, r.dirs.polling = func(string) error { return syscall.ENOSPC }, 50*time.Millisecond
	r.burst = newBurst(r.dirs.polling/5, bound)
	r.start()
	for _, name := range []string{"conf/sub/b.hcl", "conf/new/c.hcl"} {
		r.write(name, "new")
		if got := r.report(); got != name {
			t.Errorf("reported %q", got)
		}
	}
	log := r.log.String()
	if strings.Count(log, "level=WARN") != 1 || !strings.Contains(log, "are looked at every 50ms") || !strings.Contains(log, "sysctl fs.inotify.max_user_watches=") {
		t.Errorf("log: %s", log)
	}
}

func TestNoWatcherAtAll(t *testing.T) {
	d := newDirs(slog.New(slog.DiscardHandler))
	d.close()
	d.notify, d.add = nil, func(string) error { return syscall.EMFILE }
	var log buffer
	d.log = slog.New(slog.NewTextHandler(&log, nil))
	info, err := os.Stat("/")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if d.watch(map[string]os.FileInfo{"/": info}) || d.every() != polling || d.events() != nil || d.errors() != nil {
			t.Error("it is thought to be watched")
		}
	}
	d.close()
	if strings.Count(log.String(), "level=WARN") != 1 || !strings.Contains(log.String(), "fs.inotify.max_user_instances=") {
		t.Errorf("log: %s", log.String())
	}
}

// After events were lost everything is looked at, and watched anew.
func TestLostEvents(t *testing.T) {
	r := newRig(t)
	r.burst = newBurst(quiet, bound)
	r.write("conf/a.hcl", "old")
	r.start()
	for _, dir := range r.dirs.notify.WatchList() {
		r.ok(r.dirs.notify.Remove(dir)) // from now on every event is lost
	}
	r.write("conf/a.hcl", "new")
	r.dirs.notify.Errors <- fsnotify.ErrEventOverflow
	if got := r.report(); got != "conf/a.hcl" {
		t.Errorf("reported %q", got)
	}
	r.write("conf/a.hcl", "newer")
	if got := r.report(); got != "conf/a.hcl" {
		t.Errorf("reported %q", got)
	}
	r.dirs.notify.Errors <- fsnotify.ErrEventOverflow
	r.dirs.notify.Errors <- errors.New("broken")
	r.set() // when it returns, the errors were taken
	log := r.log.String()
	if strings.Count(log, "level=WARN") != 2 || !strings.Contains(log, "fs.inotify.max_queued_events=") || !strings.Contains(log, "cause=broken") {
		t.Errorf("log: %s", log)
	}
}

func TestCloseWithoutSet(t *testing.T) {
	w := New(slog.New(slog.DiscardHandler))
	w.Close()
	w.Set("/", nil, nil, time.Now()) // returns
}

// BenchmarkReport is the time from a write to its report, quiet included, with
// 200 files.
func BenchmarkReport(b *testing.B) {
	dir := b.TempDir()
	name := func(n int) string {
		return filepath.Join(dir, "conf", "flow"+string(rune('a'+n/26))+string(rune('a'+n%26))+".hcl")
	}
	if err := os.Mkdir(filepath.Join(dir, "conf"), 0o755); err != nil {
		b.Fatal(err)
	}
	for n := range 200 {
		if err := os.WriteFile(name(n), bytes.Repeat([]byte("# flow\n"), 300), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	w := New(slog.New(slog.DiscardHandler))
	defer w.Close()
	w.Set(filepath.Join(dir, "conf"), nil, nil, time.Now().Add(time.Hour))
	text := []byte("# other\n")
	for b.Loop() {
		text = append(text, '#')
		if err := os.WriteFile(name(len(text)%200), text, 0o644); err != nil {
			b.Fatal(err)
		}
		<-w.Changes()
	}
}

// BenchmarkLook is one look at 200 files that have not changed.
func BenchmarkLook(b *testing.B) {
	dir := b.TempDir()
	for n := range 200 {
		path := filepath.Join(dir, "flow"+string(rune('a'+n/26))+string(rune('a'+n%26))+".hcl")
		if err := os.WriteFile(path, bytes.Repeat([]byte("# flow\n"), 300), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	last := &look{}
	for b.Loop() {
		last = takeLook(order{root: dir}, last)
	}
}
