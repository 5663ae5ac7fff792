package unit

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// write makes files below a new directory.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// of is a unit with that [Service] section.
func of(t *testing.T, service string) *Unit {
	t.Helper()
	u, err := Read(filepath.Join(write(t, map[string]string{"syncd.service": "[Service]\n" + service}), "syncd.service"))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestFind(t *testing.T) {
	dir := write(t, map[string]string{
		"lib/syncd@.service":              "[Unit]\nUser=no\n[Service]\nUser=a\nReadWritePaths=/a \\\n  /b\n# User=c\nEnvironment=X=%i Y=%%\nStateDirectory=syncd/%i\n",
		"lib/syncd@.service.d/10.conf":    "[Service]\nReadWritePaths=/lib\n",
		"etc/syncd@shop.service.d/20.cfg": "[Service]\nUser=no\n",
		"etc/syncd@.service.d/10.conf":    "[Service]\nReadWritePaths=\"/etc 1\"\n",
		"etc/syncd@shop.service.d/5.conf": "[Service]\nUser=b\nReadWritePaths=/five\n",
		"etc/other.service":               "[Service]\nUser=other\n",
	})
	dirs := []string{filepath.Join(dir, "etc"), filepath.Join(dir, "lib")}
	u, err := Find("syncd@shop.service", dirs)
	if err != nil {
		t.Fatal(err)
	}
	if got := u.Value("User"); got != "b" {
		t.Errorf("User=%s", got)
	}
	if d := cmp.Diff([]string{"/a", "/b", "/etc 1", "/five"}, u.Words("ReadWritePaths")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]string{"X": "shop", "Y": "%", "STATE_DIRECTORY": "/var/lib/syncd/shop"}, u.Environment()); d != "" {
		t.Error(d)
	}
	if _, err := Find("none.service", dirs); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestEmptyAssignmentClears(t *testing.T) {
	u := of(t, "ReadWritePaths=/a\nReadWritePaths=\nReadWritePaths=/b\nProtectHome=yes\nProtectHome=\n")
	if d := cmp.Diff([]string{"/b"}, u.Words("ReadWritePaths")); d != "" || u.Value("ProtectHome") != "" {
		t.Error(d, u.Value("ProtectHome"))
	}
}

func TestSplit(t *testing.T) {
	for in, want := range map[string][]string{
		`a  b`:             {"a", "b"},
		`"a b" 'c "d'`:     {"a b", `c "d`},
		`A="x y" B=\"z ""`: {"A=x y", `B="z`, ""},
		``:                 nil,
	} {
		if d := cmp.Diff(want, Split(in)); d != "" {
			t.Errorf("%s: %s", in, d)
		}
	}
}

// What Allow writes, Split and the specifiers read back.
func TestAllow(t *testing.T) {
	for _, path := range []string{"/srv", "/srv/a b", `/srv/a"b\c`, "/srv/100%", "/srv/it's"} {
		u := of(t, "ProtectSystem=strict\n"+Allow(path)+"\n")
		if d := cmp.Diff([]string{path}, u.Words("ReadWritePaths")); d != "" {
			t.Errorf("%s: %s", Allow(path), d)
		}
		if got := u.Access(path + "/x"); got != Writable {
			t.Errorf("%s: access %d", path, got)
		}
	}
}

func TestAccess(t *testing.T) {
	for _, tc := range []struct {
		unit, path string
		want       Access
	}{
		{"", "/srv/out", Writable},
		{"ProtectSystem=strict", "/srv/out", ReadOnly},
		{"ProtectSystem=strict", "/proc/self", Writable},
		{"ProtectSystem=full", "/etc/x", ReadOnly},
		{"ProtectSystem=full", "/srv/out", Writable},
		{"ProtectSystem=yes", "/etc/x", Writable},
		{"ProtectSystem=yes", "/usr/share", ReadOnly},
		{"ProtectSystem=strict\nReadWritePaths=/srv/out", "/srv/out/a/b", Writable},
		{"ProtectSystem=strict\nReadWritePaths=-/srv/out/ +/x", "/srv/out", Writable},
		{"ProtectSystem=strict\nReadWritePaths=/srv/out", "/srv/outside", ReadOnly},
		{"ProtectSystem=strict\nReadWritePaths=/srv\nReadOnlyPaths=/srv/a", "/srv/a/b", ReadOnly},
		{"ProtectSystem=strict\nReadOnlyPaths=/srv\nReadWritePaths=/srv/a", "/srv/a/b", Writable},
		{"ReadWritePaths=/srv/a\nInaccessiblePaths=/srv", "/srv/a/b", Hidden},
		{"ProtectHome=yes", "/home/x", Hidden},
		{"ProtectHome=yes\nReadWritePaths=/home/x", "/home/x", Hidden},
		{"ProtectHome=read-only", "/home/x", ReadOnly},
		{"ProtectHome=read-only\nReadWritePaths=/home/x", "/home/x", Writable},
		{"ProtectHome=tmpfs", "/root", Hidden},
		{"ProtectHome=no", "/root", Writable},
		{"PrivateTmp=yes", "/tmp/x", Private},
		{"PrivateTmp=yes", "/var/tmp", Private},
		{"ProtectSystem=strict\nStateDirectory=a b/c:alias", "/var/lib/b/c/out", Writable},
		{"ProtectSystem=strict\nStateDirectory=a", "/var/lib/b", ReadOnly},
		{"ProtectSystem=strict\nLogsDirectory=a", "/var/log/a", Writable},
		{"DynamicUser=yes", "/srv/out", ReadOnly},
		{"DynamicUser=yes", "/home/x", ReadOnly},
		{"DynamicUser=yes", "/tmp", Private},
		{"DynamicUser=yes\nStateDirectory=a", "/var/lib/private/a", Writable},
	} {
		if got := of(t, tc.unit).Access(tc.path); got != tc.want {
			t.Errorf("%q at %s: got %d, want %d", tc.unit, tc.path, got, tc.want)
		}
	}
}

func TestService(t *testing.T) {
	dir := write(t, map[string]string{"env": "# comment\nA=1\nB=\"two words\"\nnothing\n"})
	u := of(t, "ExecStart=/usr/local/bin/syncd run -c /etc/syncd/%p\nEnvironment=\"A=0\" C=3\nEnvironmentFile=-"+filepath.Join(dir, "env")+
		"\nEnvironmentFile=-/none\nRuntimeDirectory=syncd\nLoadCredential=shop:/etc/secrets/shop\nLoadCredential=crm\n")
	if got := u.Config(); got != "/etc/syncd/syncd" {
		t.Errorf("Config: %s", got)
	}
	if d := cmp.Diff(map[string]string{"A": "1", "B": "two words", "C": "3", "RUNTIME_DIRECTORY": "/run/syncd"}, u.Environment()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]Credential{{"shop", "/etc/secrets/shop"}, {"crm", "/etc/credstore/crm"}}, u.Credentials()); d != "" {
		t.Error(d)
	}
	for service, want := range map[string]bool{
		"": true, "User=root": true, "User=syncd": false, "DynamicUser=yes": false,
		"User=syncd\nAmbientCapabilities=CAP_NET_BIND_SERVICE": true,
	} {
		if got := of(t, service).MayBind(); got != want {
			t.Errorf("%q may bind: %v", service, got)
		}
	}
}

// The units that we ship are read as they are meant.
func TestOurUnit(t *testing.T) {
	u, err := Read("../../systemd/syncd.service")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]Access{
		"/var/lib/syncd/out": Writable, "/run/syncd": Writable, "/etc/syncd": ReadOnly, "/srv": ReadOnly, "/home/x": Hidden, "/tmp": Private,
	} {
		if got := u.Access(path); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	if u.Config() != "/etc/syncd" || u.MayBind() || u.Environment()["STATE_DIRECTORY"] != "/var/lib/syncd" {
		t.Errorf("config %s, environment %v", u.Config(), u.Environment())
	}
}
