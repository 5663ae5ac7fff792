//go:build linux

package systemd

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const serviceConf = `
source "webhook" "orders" {
  path = "/orders"
  verify "bearer" { token = credential("shop") }
}

sink "files" "export" {
  path = "/var/lib/syncd/orders.csv"
  format "csv" { columns = ["id"] }
}

flow "orders" {
  from = source.webhook.orders
  to   = sink.files.export
}
`

const (
	confFile = "/etc/syncd/orders.hcl"
	rowsFile = "/var/lib/syncd/orders.csv"
	token    = "only-the-shop-knows"
)

// TestService lives with the service as its README says, under a real systemd.
func TestService(t *testing.T) {
	if os.Getenv("SYNCD_CHECK") == "" {
		t.Skip("boots a systemd on a root in memory: set SYNCD_CHECK=1")
	}
	m := bootThrowaway(t)
	m.write(confFile, serviceConf, 0o644)
	m.write("/etc/syncd/secrets/shop", token, 0o600)
	m.write("/etc/systemd/system/syncd.service.d/credentials.conf", "[Service]\nLoadCredential=shop:/etc/syncd/secrets/shop\n", 0o644)
	m.must("systemctl", "daemon-reload")
	m.must("systemctl", "enable", "--now", "syncd")

	t.Run("starts", m.starts)
	t.Run("accepts by credential", func(t *testing.T) {
		m.post(t, token, "202")
		m.post(t, "guessed", "401")
		m.rows(t, 1)
	})
	t.Run("reload", m.reloads)
	t.Run("comes back", m.comesBack)
	t.Run("exposure", m.exposure)
	t.Run("stops", m.stops)
}

// curl posts n events, one after another, and prints the status of each.
func (m throwaway) curl(token string, n int) (string, error) {
	return m.run("curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}\n",
		"--header", "Authorization: Bearer "+token, "--json", `{"id": 1}`, fmt.Sprintf("http://127.0.0.1:8080/orders?[1-%d]", n))
}

// post sends one event, which must get the status.
func (m throwaway) post(t *testing.T, token, status string) {
	t.Helper()
	if got, err := m.curl(token, 1); err != nil || got != status {
		t.Errorf("status %s, want %s (%v)", got, status, err)
	}
}

// rows waits for so many in the file.
func (m throwaway) rows(t *testing.T, n int) {
	t.Helper()
	until(t, fmt.Sprintf("%d rows", n), func() bool {
		text, err := m.run("cat", rowsFile)
		return err == nil && strings.Count(text, "\n") == n // a line of names before them
	})
}

func (m throwaway) starts(t *testing.T) {
	if state := m.property("ActiveState") + " " + m.property("SubState"); state != "active running" {
		t.Errorf("after the start it is %s", state)
	}
	if status := m.must("systemctl", "status", "syncd"); !regexp.MustCompile(`Status: "running: 1 source, 1 flow`).MatchString(status) {
		t.Errorf("systemctl status has no such line:\n%s", status)
	}
	uid := m.must("stat", "--format", "%u", "/proc/"+m.property("MainPID"))
	if n, err := strconv.Atoi(uid); err != nil || n < 61184 || n > 65519 {
		t.Errorf("it runs as user %s, not as a dynamic one", uid)
	}
	if at := m.must("stat", "--format", "%N %a %u", "/var/lib/syncd", "/var/lib/syncd/"); at != "'/var/lib/syncd' -> 'private/syncd' 777 0\n'/var/lib/syncd/' 700 "+uid {
		t.Errorf("state directory: %s", at)
	}
	if status := m.must("syncd", "status"); !strings.Contains(status, "source.webhook.orders") {
		t.Errorf("syncd status:\n%s", status)
	}
}

func (m throwaway) reloads(t *testing.T) {
	before := m.property("MainPID")
	m.write(confFile, strings.Replace(serviceConf, "to   = sink.files.export", "to   = sink.files.exports", 1), 0o644)
	if out, err := m.run("systemctl", "reload", "syncd"); err == nil {
		t.Errorf("a broken configuration was reloaded: %s", out)
	}
	if log := m.log(); !strings.Contains(log, "orders.hcl:14:10") || !strings.Contains(log, "Did you mean sink.files.export?") {
		t.Errorf("the log does not tell the place:\n%s", log)
	}
	if status := m.property("StatusText"); !strings.HasPrefix(status, "NOT WHAT THE FILES SAY") {
		t.Errorf("status while the files are broken: %s", status)
	}
	m.post(t, token, "202")
	m.rows(t, 2)
	m.write(confFile, strings.Replace(serviceConf, `path = "/orders"`, `path = "/new"`, 1), 0o644)
	m.must("systemctl", "reload", "syncd")
	m.post(t, token, "404")
	m.write(confFile, serviceConf, 0o644)
	m.must("systemctl", "reload", "syncd")
	m.post(t, token, "202")
	m.rows(t, 3)
	if after := m.property("MainPID"); after != before {
		t.Errorf("process %s became %s by reloads", before, after)
	}
}

// comesBack kills it, then stops it from moving; each time it is started again.
func (m throwaway) comesBack(t *testing.T) {
	m.write("/etc/systemd/system/syncd.service.d/quick.conf", "[Service]\nRestartSec=200ms\nWatchdogSec=3s\n", 0o644)
	m.must("systemctl", "daemon-reload")
	m.must("systemctl", "restart", "syncd")
	for i, signal := range []string{"-KILL", "-STOP"} {
		m.must("sh", "-c", "kill "+signal+" "+m.property("MainPID"))
		until(t, "started again after "+signal, func() bool {
			return m.property("NRestarts") == strconv.Itoa(i+1) && m.property("ActiveState") == "active"
		})
		m.post(t, token, "202")
		m.rows(t, 4+i)
	}
	if log := m.log(); !strings.Contains(log, "Watchdog timeout") {
		t.Errorf("no word of the watchdog:\n%s", log)
	}
}

// exposure is what the running manager says of the running service.
func (m throwaway) exposure(t *testing.T) {
	out := m.must("systemd-analyze", "security", "--no-pager", "--threshold=15", "syncd.service")
	t.Log(out[strings.LastIndex(out, "\n")+1:])
}

// stops ends it under load: what was accepted is in the file, and nothing else.
func (m throwaway) stops(t *testing.T) {
	before := strings.Count(m.must("cat", rowsFile), "\n")
	codes := make(chan string)
	go func() {
		out, _ := m.curl(token, 20_000) // more than there is time for
		codes <- out
	}()
	until(t, "some are accepted", func() bool {
		text, err := m.run("cat", rowsFile)
		return err == nil && strings.Count(text, "\n") > before+100
	})
	m.must("systemctl", "stop", "syncd")
	if got := m.property("Result") + " " + m.property("ExecMainStatus") + " " + m.property("ActiveState"); got != "success 0 inactive" {
		t.Errorf("the stop ended with %s\n%s", got, m.log())
	}
	accepted := strings.Count(<-codes, "202")
	if accepted < 100 || accepted == 20_000 {
		t.Errorf("%d were accepted: it was not stopped under load", accepted)
	}
	m.rows(t, before+accepted)
}
