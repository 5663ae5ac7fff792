package bench

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// process is a peer that runs beside the benchmark.
type process struct {
	cmd    *exec.Cmd
	addr   string // where it listens
	path   string // where it takes orders
	dir    string // its files
	log    string // file of what it prints
	exited chan struct{}
}

// start runs the command, which is to listen on addr and keep its files in dir.
func start(tb testing.TB, p process, env []string, args ...string) *process {
	tb.Helper()
	p.log = filepath.Join(p.dir, "log")
	out, err := os.Create(p.log)
	if err != nil {
		tb.Fatal(err)
	}
	defer out.Close()
	p.cmd = exec.Command(args[0], args[1:]...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = p.dir, out, out
	p.cmd.Env = append(os.Environ(), env...)
	if err := p.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	p.exited = make(chan struct{})
	go func() {
		p.cmd.Wait()
		close(p.exited)
	}()
	return &p
}

// stop ends it in order, and by force when that takes long.
func (p *process) stop(tb testing.TB) {
	tb.Helper()
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(20 * time.Second):
		tb.Errorf("%s does not stop; it printed:\n%s", p.cmd.Path, p.printed())
		p.cmd.Process.Kill()
		<-p.exited
	}
}

// kill ends it at once.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.exited
}

func (p *process) printed() []byte {
	b, _ := os.ReadFile(p.log)
	return b[max(0, len(b)-4096):]
}

// await returns when an order posted to each of the paths is accepted.
func (p *process) await(tb testing.TB, order int, paths ...string) {
	tb.Helper()
	deadline := time.After(20 * time.Second)
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for _, path := range paths {
		for !p.accepts(order, path) {
			select {
			case <-again.C:
			case <-p.exited:
				tb.Fatalf("%s has ended; it printed:\n%s", p.cmd.Path, p.printed())
			case <-deadline:
				tb.Fatalf("%s takes no orders at %s; it printed:\n%s", p.cmd.Path, path, p.printed())
			}
		}
		order++
	}
}

func (p *process) accepts(order int, path string) bool {
	conn, err := net.Dial("tcp", p.addr)
	if err != nil {
		return false
	}
	conn.Close()
	var a answers
	l := load{addr: p.addr, path: path, first: order, count: 1, conns: 1}
	return l.drive(&a, new(atomic.Int64), time.Now()) == nil && a.accepted == 1
}

// freeAddr is an address that nobody listens on at the moment.
func freeAddr(tb testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// usage is what a process has taken so far.
type usage struct {
	cpu       time.Duration
	rss, peak float64 // MiB
	flushes   float64 // of the disk that holds its files, by whomever
}

func (p *process) usage(tb testing.TB) usage {
	tb.Helper()
	proc := fmt.Sprintf("/proc/%d/", p.cmd.Process.Pid)
	stat, err := os.ReadFile(proc + "stat")
	if err != nil {
		tb.Fatal(err)
	}
	status, err := os.ReadFile(proc + "status")
	if err != nil {
		tb.Fatal(err)
	}
	// proc_pid_stat(5): after the name come state and, as numbers 12 and 13 from
	// there, user and system time in ticks of 10 ms.
	f := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return usage{
		cpu:     time.Duration(user+system) * 10 * time.Millisecond,
		rss:     mebibytes(status, "VmRSS:"),
		peak:    mebibytes(status, "VmHWM:"),
		flushes: flushes(p.dir),
	}
}

// mebibytes reads a line of /proc/PID/status, which are in kB.
func mebibytes(status []byte, name string) float64 {
	_, rest, _ := strings.Cut(string(status), name)
	n, _ := strconv.ParseFloat(strings.Fields(rest + " 0")[0], 64)
	return n / 1024
}

// flushes counts the flush requests that the disk below dir has carried out (field 16
// of the kernel's Documentation/block/stat.rst); 0 where it cannot be told, for a
// partition, say.
func flushes(dir string) float64 {
	var st syscall.Stat_t
	if syscall.Stat(dir, &st) != nil {
		return 0
	}
	major, minor := st.Dev>>8&0xfff, st.Dev&0xff|st.Dev>>12&0xfff00
	b, err := os.ReadFile(fmt.Sprintf("/sys/dev/block/%d:%d/stat", major, minor))
	f := strings.Fields(string(b))
	if err != nil || len(f) < 16 {
		return 0
	}
	n, _ := strconv.ParseFloat(f[15], 64)
	return n
}
