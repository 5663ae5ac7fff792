package doctor

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/syncd/syncd/engine/admin"
)

// levels are the findings, short: "error: text".
func levels(list []Finding) (out []string) {
	for _, f := range list {
		out = append(out, string(f.Level)+": "+f.Text)
	}
	return out
}

func TestRoom(t *testing.T) {
	const gib = 1 << 30
	for _, tc := range []struct {
		free, inodes, used, max int64
		want                    string
	}{
		{20 * gib, -1, 0, 10 * gib, "ok: 20.0 GiB are free for /s"},
		{20 * gib, 5000, 0, 10 * gib, "ok: 20.0 GiB are free for /s"},
		{4 * gib, -1, gib, 10 * gib, "warning: 4.0 GiB are free for /s, and the journal may grow by 9.0 GiB (max_size)"},
		{4 * gib, -1, 7 * gib, 10 * gib, "ok: 4.0 GiB are free for /s"},
		{20 << 20, -1, 10 * gib, 10 * gib, "error: only 20 MiB are free for /s"},
		{20 * gib, 3, 0, 10 * gib, "error: only 3 files can still be made on the disk of /s (inodes)"},
	} {
		if got := levels([]Finding{room("/s", tc.free, tc.inodes, tc.used, tc.max)})[0]; got != tc.want {
			t.Errorf("got %s, want %s", got, tc.want)
		}
	}
}

func TestFileSystems(t *testing.T) {
	for magic, want := range map[int64]Level{
		unix.EXT4_SUPER_MAGIC: OK, unix.XFS_SUPER_MAGIC: OK, unix.TMPFS_MAGIC: Error, unix.NFS_SUPER_MAGIC: Error, magicCIFS: Error, magicFUSE: Warning,
	} {
		if _, got := unfit(magic); got != want {
			t.Errorf("%#x: %s, want %s", magic, got, want)
		}
	}
}

func TestClock(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		built, last  time.Time
		synchronized bool
		want         string
	}{
		{now.AddDate(0, -1, 0), now.Add(-time.Hour), true, "ok: it is 2026-11-25T12:00:00Z, kept by NTP"},
		{time.Time{}, time.Time{}, false, "warning: it is 2026-11-25T12:00:00Z, and nobody keeps it right"},
		{now.AddDate(0, 1, 0), time.Time{}, true, "error: it is 2026-11-25T12:00:00Z, before this program was made (2026-12-25)"},
		{time.Time{}, now.Add(time.Hour), true, "error: it is 2026-11-25T12:00:00Z, before the journal's last event (2026-11-25T13:00:00Z)"},
	} {
		if got := levels([]Finding{clock(now, tc.built, tc.last, tc.synchronized)})[0]; got != tc.want {
			t.Errorf("got %s, want %s", got, tc.want)
		}
	}
	if flag := filepath.Join(t.TempDir(), "synchronized"); os.WriteFile(flag, nil, 0o600) != nil || !synchronized(flag) {
		t.Error("the file of systemd-timesyncd is not seen")
	}
}

func TestDescriptors(t *testing.T) {
	for _, tc := range []struct {
		limit int64
		open  int
		want  Level
	}{{65536, 0, OK}, {65536, 60000, Error}, {1024, 10, Warning}, {0, 99999, OK}} {
		if got := descriptors(tc.limit, tc.open); got.Level != tc.want {
			t.Errorf("%+v: %+v", tc, got)
		}
	}
	limits := "Limit                     Soft Limit           Hard Limit           Units     \nMax open files            1024                 524288               files     \n"
	if got := openFiles(limits); got != 524288 {
		t.Errorf("openFiles: %d", got)
	}
	if got := openFiles(strings.ReplaceAll(limits, "524288", "unlimited")); got != 0 {
		t.Errorf("openFiles: %d", got)
	}
}

func TestCondition(t *testing.T) {
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.Local)
	well := admin.Status{PID: 7, Lanes: []admin.LaneStatus{{State: admin.Running}}}
	bad := admin.Status{
		NotAccepting: "disk full",
		Sources:      []admin.SourceStatus{{Address: "source.poll.p", State: admin.Failed, LastError: "refused", Dead: 2}, {Address: "source.webhook.w", Stale: true}},
		Flows:        []admin.FlowStatus{{Dead: 3}},
		Lanes: []admin.LaneStatus{{Flow: "flow.f", Sink: "sink.http.h", State: admin.Stopped, Backlog: 9, LastError: "503"},
			{Flow: "flow.old", Sink: "sink.http.h", State: admin.Orphaned, Backlog: 4}},
	}
	for _, tc := range []struct {
		s    admin.Status
		want []string
	}{
		{well, []string{"ok: pid 7, running: 0 sources, 0 flows, 0 accepted, 0 pending"}},
		{bad, []string{
			"error: nothing is accepted: disk full",
			"error: source.poll.p has failed: refused",
			"warning: source.webhook.w has been silent for longer than expect_every",
			"error: lane flow.f > sink.http.h is stopped, 9 events wait: 503",
			"warning: lane flow.old > sink.http.h has no flow or sink any more, 4 events wait",
			"warning: dead letters: 5",
		}},
		{admin.Status{Generation: 4, Stale: &admin.Stale{Since: at, Reason: "orders.hcl:3:1: no"}, KeepBy: &at}, []string{
			"warning: it runs an older configuration than the files, generation 4, since 2026-11-25 12:00:00: orders.hcl:3:1: no",
			"warning: its configuration goes back at 12:00:00 unless it is kept",
		}},
	} {
		if d := cmp.Diff(tc.want, levels(condition(tc.s))); d != "" {
			t.Error(d)
		}
	}
}

func TestSilence(t *testing.T) {
	denied := &admin.UnreachableError{Places: []admin.Place{{Path: "/a"}, {Path: "/b"}}, Causes: []error{fs.ErrNotExist, &fs.PathError{Op: "dial", Err: fs.ErrPermission}}}
	if got := silence(denied); !strings.Contains(got, "/b is for the daemon's own user and root") {
		t.Error(got)
	}
}

func TestAccounts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "status")
	if err := os.WriteFile(path, []byte("Name:\tsyncd\nUid:\t61184\t61185\t61184\t61184\nGid:\t61186\t61187\t0\t0\nGroups:\t100 61184 \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a, ok := processAccount(path)
	want := account{name: "user 61185", uid: 61185, gids: []int{61187, 100, 61184}}
	if d := cmp.Diff(want, a, cmp.AllowUnexported(account{})); d != "" || !ok {
		t.Error(d, ok)
	}
	if a := unitAccount("", false, nil); a.uid != 0 {
		t.Errorf("a unit without user: %+v", a)
	}
	if a := unitAccount("", true, []string{"root"}); a.uid != -1 || len(a.gids) != 1 || a.gids[0] != 0 {
		t.Errorf("a dynamic user: %+v", a)
	}
}

func TestMay(t *testing.T) {
	dir := open(t)
	file := filepath.Join(dir, "f")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	own, group := os.Getuid(), os.Getgid()
	for _, tc := range []struct {
		who  account
		mode os.FileMode
		want uint32
		ok   bool
	}{
		{account{uid: 12345}, 0o640, mayRead, false},
		{account{uid: 12345}, 0o644, mayRead, true},
		{account{uid: 12345, gids: []int{1, group}}, 0o640, mayRead, true},
		{account{uid: 12345, gids: []int{1, group}}, 0o604, mayRead, false},
		{account{uid: 12345}, 0o644, mayWrite, false},
		{account{uid: 0}, 0o000, mayWrite, true},
		{account{self: true, uid: own}, 0o600, mayRead, true},
	} {
		if err := os.Chmod(file, tc.mode); err != nil {
			t.Fatal(err)
		}
		if err := tc.who.may(file, tc.want); (err == nil) != tc.ok {
			t.Errorf("%+v: %v", tc, err)
		}
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := (account{uid: 12345}).may(file, mayRead); err == nil {
		t.Error("the directory above is not looked at")
	}
}
