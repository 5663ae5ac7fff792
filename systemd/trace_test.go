//go:build linux

package systemd

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// call is a system call as strace shows it: its name, and all behind its parenthesis.
type call struct{ name, args string }

var beginning = regexp.MustCompile(`^\d+\s+(\w+)\((.*)$`)

// calls reads strace's output. What a call was resumed with is left out.
func calls(t *testing.T, file string) (list []call) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if m := beginning.FindStringSubmatch(lines.Text()); m != nil {
			list = append(list, call{m[1], m[2]})
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// allowed are the system calls that the unit's SystemCallFilter= lines leave, by
// the sets of the systemd that is installed. @default comes with any list.
func allowed(t *testing.T, unit []setting) map[string]bool {
	t.Helper()
	set := map[string]bool{}
	expand(t, set, "@default", true)
	for _, s := range unit {
		if s.key != "SystemCallFilter" {
			continue
		}
		names, deny := strings.CutPrefix(s.value, "~")
		for _, name := range strings.Fields(names) {
			expand(t, set, name, !deny)
		}
	}
	return set
}

// expand puts the calls of a set, or a single one, into the set, or takes them out.
func expand(t *testing.T, set map[string]bool, name string, in bool) {
	t.Helper()
	if !strings.HasPrefix(name, "@") {
		set[name] = in
		return
	}
	out, err := analyze(t, "syscall-filter", "--no-pager", name)
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	for line := range strings.Lines(out) {
		member := strings.TrimSpace(line)
		if member == "" || member == name || strings.HasPrefix(member, "#") {
			continue
		}
		expand(t, set, member, in)
	}
}

// madeExecutable tells whether MemoryDenyWriteExecute= forbids the call
// (systemd.exec(5)): memory that is writable and executable, or becomes executable.
func madeExecutable(c call) bool {
	exec := strings.Contains(c.args, "PROT_EXEC")
	switch c.name {
	case "mmap", "mmap2":
		return exec && strings.Contains(c.args, "PROT_WRITE")
	case "mprotect", "pkey_mprotect":
		return exec
	case "shmat":
		return strings.Contains(c.args, "SHM_EXEC")
	}
	return false
}

// family is the address family of a new socket, "" for other calls.
func family(c call) string {
	if c.name != "socket" && c.name != "socketpair" {
		return ""
	}
	name, _, _ := strings.Cut(c.args, ",")
	return name
}

var (
	// changing are the calls that change what a path names.
	changing = []string{"mkdir", "mkdirat", "mknod", "mknodat", "unlink", "unlinkat", "rmdir", "rename", "renameat", "renameat2",
		"link", "linkat", "symlink", "symlinkat", "truncate", "chmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchownat",
		"utimensat", "setxattr", "creat", "bind"}
	opening = []string{"open", "openat", "openat2"}
	writing = regexp.MustCompile(`O_WRONLY|O_RDWR|O_CREAT|O_TRUNC`)
	quoted  = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`)
)

// written are the paths that a call changes, or opens for writing.
func written(c call) (paths []string) {
	if !slices.Contains(changing, c.name) && !(slices.Contains(opening, c.name) && writing.MatchString(c.args)) {
		return nil
	}
	for _, m := range quoted.FindAllStringSubmatch(c.args, -1) {
		if c.name == "bind" && !strings.Contains(c.args, "sun_path") {
			continue
		}
		paths = append(paths, m[1])
	}
	return paths
}

// within tells whether path is one of dirs or below one.
func within(path string, dirs ...string) bool {
	return slices.ContainsFunc(dirs, func(dir string) bool {
		rel, err := filepath.Rel(dir, path)
		return err == nil && filepath.IsLocal(rel)
	})
}

// The reading of a trace must see what it is there to see.
func TestTraceIsRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "trace")
	text := `7  mmap(NULL, 4096, PROT_READ|PROT_WRITE|PROT_EXEC, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f
7  mprotect(0x7f, 4096, PROT_READ|PROT_EXEC <unfinished ...>
8  <... futex resumed>) = 0
7  <... mprotect resumed>) = 0
7  mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE, -1, 0) = 0x7f
7  socket(AF_NETLINK, SOCK_RAW|SOCK_CLOEXEC, NETLINK_ROUTE) = 3
7  openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3
7  openat(AT_FDCWD, "/etc/\"x", O_RDWR|O_CREAT|O_CLOEXEC, 0644) = 3
7  renameat(AT_FDCWD, "/a", AT_FDCWD, "/b") = 0
7  bind(3, {sa_family=AF_UNIX, sun_path="/run/s"}, 9) = 0
7  bind(3, {sa_family=AF_INET, sin_addr=inet_addr("127.0.0.1")}, 16) = 0
7  +++ exited with 0 +++
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var names, families, paths []string
	executable := 0
	for _, c := range calls(t, file) {
		names = append(names, c.name)
		paths = append(paths, written(c)...)
		if f := family(c); f != "" {
			families = append(families, f)
		}
		if madeExecutable(c) {
			executable++
		}
	}
	if got := strings.Join(names, " "); got != "mmap mprotect mmap socket openat openat renameat bind bind" {
		t.Errorf("calls: %s", got)
	}
	if executable != 2 || strings.Join(families, " ") != "AF_NETLINK" || strings.Join(paths, " ") != `/etc/\"x /a /b /run/s` {
		t.Errorf("executable %d, families %v, paths %v", executable, families, paths)
	}
}
