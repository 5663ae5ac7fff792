// Package examples holds configurations that run as they stand. The test runs
// each as a user would: the built program, on a copy of the directory.
//
// An example is a directory with *.hcl files. try.sh has the curl lines that send it
// something; without it, the lines that the daemon prints do, with what stands in
// NAME.json for source.webhook.NAME. want holds the files that must then be in out; or,
// of an example that fills a database, in rows what the query in rows.sql must then find,
// beside files that must be in out as well.
// outgoing holds those of a partner's SFTP server, whom PARTNER_HOST and so on name;
// api has the files that a stand-in for a server's API gives.
package examples

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// program is the built syncd.
var program string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "syncd-examples")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		program = filepath.Join(dir, "syncd")
		if out, err := exec.Command("go", "build", "-o", program, "../cmd/syncd").CombinedOutput(); err != nil {
			fmt.Printf("build syncd: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

func TestExamples(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		n++
		t.Run(e.Name(), func(t *testing.T) {
			validate(t, e.Name())
			run(t, e.Name())
		})
	}
	if n == 0 {
		t.Error("no examples")
	}
}

// validate holds a configuration to what is told to be done before it runs.
func validate(t *testing.T, path string) {
	t.Helper()
	for _, args := range [][]string{{"validate", "-c", path}, {"fmt", "--check", "--diff", path}} {
		out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
		if err != nil {
			t.Errorf("syncd %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// run sends the example what it says to send, waits until its files are there, and
// stops it.
func run(t *testing.T, example string) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(example)); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	freePort(t, dir)
	db := databaseOf(t, example, dir)
	servePartner(t, dir)
	serveAPI(t, dir)
	d := start(t, dir, ".")
	curls := d.curls
	if script, err := os.ReadFile(filepath.Join(dir, "try.sh")); err == nil {
		runLines(t, dir, string(script))
		curls = curlLines(string(script))
	}
	for _, c := range curls {
		post(t, dir, c)
	}
	if db == nil {
		waitForFiles(t, filepath.Join(dir, "want"), filepath.Join(dir, "out"))
	} else {
		db.waitForRows(t)
		waitBeside(t, dir)
	}
	if out := output(t, dir, "status"); !strings.Contains(out, "running") {
		t.Errorf("syncd status: %s", out)
	}
	d.stop(t)
	if db == nil {
		compareFiles(t, filepath.Join(dir, "want"), filepath.Join(dir, "out"))
	}
}

// daemon is a running syncd.
type daemon struct {
	cmd            *exec.Cmd
	curls          []string        // the lines to paste
	stdout, stderr strings.Builder // stdout up to these lines
	rest           chan struct{}   // closed at the end of its output
}

// start runs the program in dir, with .syncd for its state, until it says that it is
// ready, and how to try it.
func start(t *testing.T, dir, config string) *daemon {
	t.Helper()
	d := &daemon{rest: make(chan struct{})}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	d.cmd = exec.CommandContext(ctx, program, "run", "-c", config)
	d.cmd.Dir = dir
	d.cmd.Env = append(os.Environ(), "STATE_DIRECTORY=", "RUNTIME_DIRECTORY=")
	d.cmd.Stderr = &d.stderr
	stdout, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pulls := takesNothing(t, dir)
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		l := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(l, "curl ") {
			d.curls = append(d.curls, l)
		} else if len(d.curls) > 0 {
			break
		}
		d.stdout.WriteString(lines.Text() + "\n")
		if pulls && strings.HasPrefix(l, "socket ") {
			break
		}
	}
	go func() { defer close(d.rest); io.Copy(io.Discard, stdout) }()
	if len(d.curls) == 0 && !pulls {
		d.cmd.Process.Kill()
		<-d.rest
		t.Fatalf("it ended before it was ready: %v\n%s", d.cmd.Wait(), d.stderr.String())
	}
	return d
}

// stop ends it as a service manager does: it must drain and say that all went well.
func (d *daemon) stop(t *testing.T) {
	t.Helper()
	d.cmd.Process.Signal(syscall.SIGTERM)
	<-d.rest
	if err := d.cmd.Wait(); err != nil {
		t.Errorf("it ended with %v\n%s", err, d.stderr.String())
	}
}

// waitForFiles waits until as much is written as is wanted.
func waitForFiles(t *testing.T, want, got string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !sameSizes(files(t, want), files(t, got)) {
		select {
		case <-look.C:
		case <-ctx.Done():
			return // compareFiles shows what is missing
		}
	}
}

func sameSizes(want, got map[string]string) bool {
	for name, content := range want {
		if len(got[name]) < len(content) {
			return false
		}
	}
	return true
}

func compareFiles(t *testing.T, want, got string) {
	t.Helper()
	if d := cmp.Diff(files(t, want), files(t, got)); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
}

// files is the content of all files below dir, by path; none if there is no dir.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if os.IsNotExist(err) {
			continue // a file in the making, which has its own name by now
		}
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(b)
	}
	return all
}
