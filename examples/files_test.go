package examples

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/syncd/syncd/engine/connect/sftp/sshdtest"
)

// servePartner has an OpenSSH server stand in for the partner's whom the example in
// dir reads from, if it does, with the example's own directory outgoing.
func servePartner(t *testing.T, dir string) {
	t.Helper()
	outgoing := filepath.Join(dir, "outgoing")
	if _, err := os.Stat(outgoing); err != nil {
		return
	}
	s := sshdtest.Start(t)
	for name, value := range map[string]string{
		"HOST": s.Host, "PORT": fmt.Sprint(s.Port), "USER": s.User, "KEY": s.Key,
		"HOST_KEY": string(ssh.MarshalAuthorizedKey(s.HostKey.PublicKey())), "DIR": outgoing,
	} {
		t.Setenv("PARTNER_"+name, value)
	}
}

// takesNothing tells whether the example in dir has no webhook, so that the daemon
// prints no line to paste.
func takesNothing(t *testing.T, dir string) bool {
	t.Helper()
	texts := configurations(t, dir)
	for _, text := range texts {
		if strings.Contains(text, `source "webhook"`) {
			return false
		}
	}
	return len(texts) > 0
}

// runLines runs the lines of a script that begin with syncd, each until it succeeds:
// what is ready may still be beginning.
func runLines(t *testing.T, dir, script string) {
	t.Helper()
	for line := range strings.Lines(script) {
		args, ok := strings.CutPrefix(strings.TrimSpace(line), "syncd ")
		if !ok {
			continue
		}
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			cmd := exec.CommandContext(t.Context(), program, strings.Fields(args)...)
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "RUNTIME_DIRECTORY=")
			out, err := cmd.CombinedOutput()
			if err == nil {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("syncd %s: %v\n%s", args, err, out)
			}
		}
	}
}
