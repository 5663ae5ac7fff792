//go:build linux

package systemd

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// throwaway is a booted systemd on a root of its own, gone with the test.
type throwaway struct {
	t   *testing.T
	pid int // of its first process, as this machine counts
}

// bootThrowaway starts it, or skips the test where that cannot be. Never is a systemd
// started on the machine's own root: it would clean up there as after a boot.
func bootThrowaway(t *testing.T) throwaway {
	t.Helper()
	needed(t, "unshare", "nsenter", "setpriv", "pivot_root", "systemctl", "journalctl", "systemd-analyze", "curl")
	if os.Getuid() != 0 {
		t.Skip("booting a systemd in namespaces takes root")
	}
	group := ownGroup(t)
	// The cgroup namespace begins where the process is then.
	start := `echo $$ >"$1/cgroup.procs"; shift; exec unshare --cgroup -- sh testdata/throwaway.sh "$@"`
	units, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", start, "sh", group, t.TempDir(), program, units)
	var out output
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC | syscall.CLONE_NEWNET,
		Pdeathsig:  syscall.SIGKILL,
	}
	if err := cmd.Start(); err != nil {
		t.Skipf("namespaces are not to be had: %v", err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		cmd.Process.Kill() // and with the first process of a pid namespace all others
		<-ended
		if t.Failed() {
			t.Logf("systemd said:\n%s", out.String())
		}
	})
	m := throwaway{t, cmd.Process.Pid}
	until(t, "systemd has booted", func() bool {
		select {
		case <-ended:
			t.Fatal("systemd ended")
		default:
		}
		state, _ := m.run("systemctl", "is-system-running")
		return state == "running"
	})
	return m
}

// ownGroup makes a control group for it, below which it may do as it likes.
func ownGroup(t *testing.T) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	at := regexp.MustCompile(`(?m)^\S+ \S+ \S+ / (\S+) rw\S* .*- cgroup2 `).FindSubmatch(mounts)
	if at == nil {
		t.Skip("no cgroup2 file system is mounted for writing: systemd needs one")
	}
	group, err := os.MkdirTemp(string(at[1]), "syncd-test-") //nolint:usetesting // a control group: a directory of the kernel's
	if err != nil {
		t.Skipf("no control group to be had: %v", err)
	}
	t.Cleanup(func() {
		for within := time.Now().Add(time.Minute); !removed(group); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(within) {
				t.Errorf("still there after a minute: %s", group)
				return
			}
		}
	})
	return group
}

// removed tries to remove a control group with all below it, which can be done when
// their processes have ended.
func removed(group string) bool {
	below, _ := filepath.Glob(filepath.Join(group, "*/"))
	for _, dir := range below {
		removed(dir)
	}
	err := os.Remove(group)
	return err == nil || errors.Is(err, os.ErrNotExist)
}

// run runs a command inside and gives what it printed.
func (m throwaway) run(command ...string) (string, error) {
	inside := []string{"--all", "--target", strconv.Itoa(m.pid), "--", "env", "-i", "PATH=/usr/local/bin:/usr/sbin:/usr/bin", "SYSTEMD_COLORS=0", "SYSTEMD_PAGER="}
	out, err := exec.Command("nsenter", append(inside, command...)...).CombinedOutput()
	return string(bytes.TrimSpace(out)), err
}

// must is run for a command that has to succeed.
func (m throwaway) must(command ...string) string {
	m.t.Helper()
	out, err := m.run(command...)
	if err != nil {
		m.t.Fatalf("%s: %v\n%s\n%s", strings.Join(command, " "), err, out, m.log())
	}
	return out
}

// log is what the service and systemd wrote about it.
func (m throwaway) log() string {
	out, _ := m.run("journalctl", "--unit", "syncd", "--output", "cat")
	return out
}

// property is one of the service's, as the manager tells it.
func (m throwaway) property(name string) string {
	m.t.Helper()
	return m.must("systemctl", "show", "--property", name, "--value", "syncd")
}

// path is where a file of it is for this machine.
func (m throwaway) path(name string) string {
	return fmt.Sprintf("/proc/%d/root%s", m.pid, name)
}

func (m throwaway) write(name, text string, mode os.FileMode) {
	m.t.Helper()
	if err := os.MkdirAll(filepath.Dir(m.path(name)), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(m.path(name), []byte(text), mode); err != nil {
		m.t.Fatal(err)
	}
}
