//go:build linux

package faults

import (
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/syncd/syncd/engine/connect/sftp/sshdtest"
	"golang.org/x/crypto/ssh"
)

// The secrets that are planted: each must not be found in anything that the
// daemon prints, answers or writes.
const (
	bearerIn  = "planted-bearer-in-4711"
	hmacKey   = "planted-hmac-key-4712"
	queryKey  = "planted-query-key-4713"
	bearerOut = "planted-bearer-out-4714"
	header    = "planted-header-4715"
	card      = "planted-card-4716"
	cookie    = "planted-cookie-4717"
	password  = "planted-password-4718"
	inExpr    = "planted-in-expr-4719"
	sshIn     = "planted-ssh-password-4720"
	varying   = "planted-varying-4721"
)

const secretConf = `
daemon {
  state_dir = %q
  log { level = "debug" }
}
listener "http" "in" { address = "127.0.0.1:0" }
secret "pepper" { value = credential("pepper") }
source "webhook" "bearer" {
  path   = "/bearer"
  redact = ["body.card"]
  verify "bearer" { token = credential("bearer_in") }
}
source "webhook" "query" {
  path = "/query"
  verify "api_key" {
    query = "key"
    value = env("QUERY_KEY")
  }
}
source "webhook" "basic" {
  path = "/basic"
  verify "basic" {
    user     = "partner"
    password = credential("password")
  }
}
source "webhook" "hmac" {
  path = "/hmac"
  verify "github" { secret = sensitive(%q) }
}
connection "http" "out" {
  base_url = "http://%s"
  headers  = { X-Key = credential("header") }
  auth "bearer" { token = credential("bearer_out") }
}
sink "http" "out" {
  connection = connection.http.out
  path       = "/"
}
sink "http" "refused" {
  connection = connection.http.out
  path       = "/refused"
  headers    = { X-Sig = "v1 ${credential("varying")}:{{ event.id }}" }
}
connection "sftp" "partner" {
  host     = %q
  port     = %d
  user     = "partner"
  password = credential("ssh")
  host_key = %q
}
sink "files" "partner" {
  connection = connection.sftp.partner
  path       = "%s/out.ndjson"
}
sink "log" "all" {}
flow "all" {
  from = [source.webhook.bearer, source.webhook.query, source.webhook.basic, source.webhook.hmac]
  set { token = "hmacSha256(secret.pepper, body.n ?? '')" }
  to = [sink.http.out, sink.http.refused, sink.files.partner, sink.log.all]
}
flow "failing" {
  from = source.webhook.bearer
  map { x = "body.missing + 1" }
  to = sink.log.all
}
`

func TestPlantedSecretsNeverShow(t *testing.T) {
	dir, creds := t.TempDir(), t.TempDir()
	for name, value := range map[string]string{
		"bearer_in": bearerIn, "bearer_out": bearerOut, "header": header, "password": password, "pepper": inExpr, "ssh": sshIn, "varying": varying,
	} {
		if err := os.WriteFile(filepath.Join(creds, name), []byte(value+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("CREDENTIALS_DIRECTORY", creds)
	t.Setenv("QUERY_KEY", queryKey)
	out := newSink(t)
	out.set(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/refused" {
			return false
		}
		if r.Header.Get("Authorization") != "Bearer "+bearerOut || r.Header.Get("X-Key") != header {
			t.Errorf("the sink was called with %v", r.Header)
		}
		w.WriteHeader(http.StatusUnprocessableEntity)
		fmt.Fprintf(w, "you sent %v", r.Header) // and so our credentials
		return true
	})
	partner := sshdtest.Serve(t, &ssh.ServerConfig{PasswordCallback: func(_ ssh.ConnMetadata, p []byte) (*ssh.Permissions, error) {
		if string(p) != sshIn {
			t.Errorf("the SFTP server got the password %q", p)
		}
		return nil, nil
	}})
	configure(t, dir, fmt.Sprintf(secretConf, filepath.Join(dir, "state"), hmacKey, out.addr,
		partner.Host, partner.Port, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(partner.HostKey))), t.TempDir()))
	d := launch(t, dir)
	said := &strings.Builder{}
	send := func(path, body string, want int, with ...string) {
		t.Helper()
		req, err := http.NewRequest("POST", d.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Cookie", "session="+cookie)
		for i := 0; i < len(with); i += 2 {
			req.Header.Set(with[i], with[i+1])
		}
		res, err := client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s answered %d, want %d", path, res.StatusCode, want)
		}
		io.Copy(said, res.Body)
	}
	send("/bearer", `{"n":"1","card":"`+card+`"}`, 202, "Authorization", "Bearer "+bearerIn)
	send("/bearer", `{"n":"1","card":"`+card+`"}`, 401, "Authorization", "Bearer wrong")
	send("/query?key="+queryKey, `{"n":"2"}`, 202)
	send("/basic", `{"n":"3"}`, 202, "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("partner:"+password)))
	send("/hmac", `{"n":"4"}`, 401, "X-Hub-Signature-256", "sha256=00")
	d.drained()
	dead := 0
	for _, args := range [][]string{{"status"}, {"status", "--json"}, {"dead", "list"}, {"dead", "list", "--json"}, {"lane", "list"}, {"validate", "-c", filepath.Join(dir, "conf.hcl")}} {
		said.WriteString(d.command(args...))
	}
	s, err := d.status()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range s.Flows {
		dead += int(f.Dead)
	}
	if dead != 4 {
		t.Errorf("%d dead letters, want 4 (the answers of /refused and the failing map)", dead)
	}
	for id := 1; id <= 6; id++ {
		said.WriteString(d.command("dead", "show", fmt.Sprint(id)))
	}
	d.stop()
	said.WriteString(d.said())
	if !strings.Contains(said.String(), "you sent") {
		t.Error("no dead letter quotes the sink's answer: the test looks at nothing")
	}
	search(t, "what it said", said.String())
	err = filepath.WalkDir(filepath.Join(dir, "state"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		search(t, path, string(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// command runs syncd against the daemon and gives all that it prints.
func (d *daemon) command(args ...string) string {
	if args[0] != "validate" {
		args = append(args, "--state-dir", d.stateDir)
	}
	out, _ := exec.Command(program, args...).CombinedOutput()
	return string(out)
}

func search(t *testing.T, where, text string) {
	t.Helper()
	for _, s := range []string{bearerIn, hmacKey, queryKey, bearerOut, header, card, cookie, password, inExpr, sshIn, varying} {
		if i := strings.Index(text, s); i >= 0 {
			t.Errorf("%s shows %q: …%q…", where, s, text[max(0, i-80):i])
		}
		if strings.Contains(text, base64.StdEncoding.EncodeToString([]byte("partner:"+s))) {
			t.Errorf("%s shows %q in base64", where, s)
		}
	}
}
