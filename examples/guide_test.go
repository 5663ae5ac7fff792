package examples

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What the guide says that its commands print is what they print, one after the
// other in one directory. It writes the files that the guide shows.
func TestGuide(t *testing.T) {
	for _, tool := range []string{"bash", "curl", "openssl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the guide needs %s", tool)
		}
	}
	const page = "../docs/guide.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	s := newShell(t)
	got := step.ReplaceAllFunc(text, func(block []byte) []byte {
		m := step.FindSubmatch(block)
		if file := string(m[1]); file != "" {
			s.write(file, string(m[3]))
			return block
		}
		if string(m[2]) != "console" {
			return block
		}
		var b bytes.Buffer
		b.WriteString("```console\n")
		for _, c := range commands(string(m[3])) {
			b.WriteString("$ " + c[0] + "\n" + s.run(c[0], c[1]))
		}
		b.WriteString("```")
		return b.Bytes()
	})
	rewrite(t, page, text, got)
}

// step is a fence, with the file that a comment says it is.
var step = regexp.MustCompile("(?ms)(?:^<!-- file ([^ ]+) -->\\n)?^```([a-z]+)\\n(.*?)^```$")

// commands are the lines behind a prompt, each with what stands below it.
func commands(block string) [][2]string {
	var all [][2]string
	for line := range strings.Lines(block) {
		if c, ok := strings.CutPrefix(line, "$ "); ok {
			all = append(all, [2]string{strings.TrimSuffix(c, "\n")})
		} else if n := len(all); n > 0 {
			all[n-1][1] += line
		}
	}
	return all
}

// shell is where the guide's commands run.
type shell struct {
	t       *testing.T
	dir     string
	port    string            // where a configuration listens that says nothing
	there   *strings.Replacer // the guide's ports to those of this run
	back    *strings.Replacer // and what this run prints to what the guide shows
	daemons map[string]*exec.Cmd
}

func newShell(t *testing.T) *shell {
	s := &shell{t: t, dir: t.TempDir(), daemons: map[string]*exec.Cmd{}}
	there, back := []string{}, []string{s.dir, "/home/ana/syncd"}
	for _, p := range []string{usualPort, "127.0.0.1:8443", "127.0.0.1:9000"} {
		port := unusedPort(t)
		if p == usualPort {
			s.port = port
		}
		there, back = append(there, p, port), append(back, port, p)
	}
	s.there, s.back = strings.NewReplacer(there...), strings.NewReplacer(back...)
	s.write(".curlrc", "silent\nshow-error\n") // as in a terminal: no progress
	t.Cleanup(func() {
		for config := range s.daemons {
			s.stop(config)
		}
	})
	return s
}

// write makes a file of the guide.
func (s *shell) write(file, content string) {
	s.t.Helper()
	path := filepath.Join(s.dir, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(s.there.Replace(content)), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// reads are the commands that change nothing, and so can be repeated.
var reads = regexp.MustCompile(`^(cat|wc|syncd (status|dead list|dead show)) ?`)

// run does what the command says. What reads is repeated until it prints what is
// wanted: deliveries take their time.
func (s *shell) run(command, want string) string {
	s.t.Helper()
	if m := runs.FindStringSubmatch(command); m != nil {
		return s.shown(s.start(m[1], command))
	}
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	patience := 20 * time.Second
	if *update {
		patience = 6 * time.Second // what is wanted may not be what will come
	}
	for deadline := time.Now().Add(patience); ; <-again.C {
		out, _ := s.command(s.t.Context(), command).CombinedOutput()
		got := s.shown(string(out))
		if !reads.MatchString(command) || got == want || time.Now().After(deadline) {
			return got
		}
	}
}

// shown is output as the guide shows it.
func (s *shell) shown(out string) string {
	out = usual(s.back.Replace(out))
	if out != "" && !strings.HasSuffix(out, "\n") {
		out += "\n" // curl's answers have none
	}
	return out
}

func (s *shell) command(ctx context.Context, line string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "bash", "-c", s.there.Replace(line))
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(program)+":"+os.Getenv("PATH"),
		"STATE_DIRECTORY=", "RUNTIME_DIRECTORY=", "CURL_HOME="+s.dir)
	return cmd
}

// runs is a command that starts a daemon, with its configuration.
var runs = regexp.MustCompile(`syncd run -c (\S+)`)

// start runs a daemon, instead of the one with this configuration if there is one,
// and gives what it prints until it is ready.
func (s *shell) start(config, line string) string {
	s.t.Helper()
	s.stop(config)
	s.listen(config)
	cmd := s.command(context.WithoutCancel(s.t.Context()), strings.Replace(line, "syncd run", "exec syncd run", 1))
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.daemons[config] = cmd
	var out strings.Builder
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		out.WriteString(lines.Text() + "\n")
		if strings.HasPrefix(lines.Text(), "  curl ") {
			return out.String()
		}
	}
	s.t.Fatalf("%s ended: %s", line, out.String())
	return ""
}

// stop does what Ctrl-C does.
func (s *shell) stop(config string) {
	cmd := s.daemons[config]
	if cmd == nil {
		return
	}
	delete(s.daemons, config)
	cmd.Process.Signal(syscall.SIGINT)
	if err := cmd.Wait(); err != nil {
		s.t.Errorf("the daemon of %s ended with %v", config, err)
	}
}

// listen lets a configuration that names no listener listen where nobody else does.
func (s *shell) listen(config string) {
	file := filepath.Join(config, "zz_port.hcl")
	os.Remove(filepath.Join(s.dir, file))
	all, err := filepath.Glob(filepath.Join(s.dir, config, "*.hcl"))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, name := range all {
		text, err := os.ReadFile(name)
		if err != nil {
			s.t.Fatal(err)
		}
		if strings.Contains(string(text), `listener "http"`) {
			return
		}
	}
	s.write(file, fmt.Sprintf("listener \"http\" \"test\" { address = %q }\n", s.port))
}
