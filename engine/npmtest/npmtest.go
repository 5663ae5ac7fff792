// Package npmtest runs servers of others that npm has, and finds documents, for tests
// that want what we did not write. .ci/npm lists them; to run such a test by hand:
//
//	cp -r .ci/npm /tmp/npm && npm ci --prefix /tmp/npm --ignore-scripts
//	SYNCD_NPM=/tmp/npm go test ./…
package npmtest

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// patience is how long a server may take to start on a busy machine.
const patience = time.Minute

// Start runs the command of a package, until the test ends, and waits for a line of
// its output that ready matches; the answer is the match with its groups. Without the
// package the test is skipped.
func Start(t testing.TB, ready *regexp.Regexp, command string, args ...string) []string {
	t.Helper()
	cmd := exec.Command(filepath.Join(Dir(t, command), ".bin", command), args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	found, ended := make(chan []string, 1), make(chan struct{})
	var said string
	go func() {
		defer close(ended)
		said = await(bufio.NewScanner(out), ready, found)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		_ = cmd.Wait() // it was killed
	})
	select {
	case match := <-found:
		return match
	case <-ended:
		t.Fatalf("%s ended: %s", command, said)
	case <-time.After(patience):
		t.Fatalf("%s is not ready after %s", command, patience)
	}
	return nil
}

// Dir is the directory that holds the packages. Without them, the test, which wants
// the one that is named, is skipped.
func Dir(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("SYNCD_NPM")
	if dir == "" {
		t.Skipf("%s of npm is not here: SYNCD_NPM does not name the directory that .ci/npm is installed in", name)
	}
	return filepath.Join(dir, "node_modules")
}

// await reads until the output ends, and gives it.
func await(lines *bufio.Scanner, ready *regexp.Regexp, found chan<- []string) string {
	var said strings.Builder
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		if match := ready.FindStringSubmatch(lines.Text()); match != nil && found != nil {
			found <- match
			found = nil
		}
	}
	return said.String()
}
