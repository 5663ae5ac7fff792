package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/admin"
)

func TestExitCodes(t *testing.T) {
	at := serve(t, twoDead())
	for _, tc := range []struct {
		args string
		code int
		says string // on stderr
	}{
		{"status " + at, exitOK, ""},
		{"frobnicate", exitUsage, `unknown command "frobnicate"`},
		{"dead frobnicate", exitUsage, `unknown command "frobnicate"`},
		{"status extra", exitUsage, "unknown command"},
		{"status --nonsense", exitUsage, "unknown flag"},
		{"dead show x " + at, exitUsage, "not the id"},
		{"dead show 99 " + at, exitWrong, "no such entry"},
		{"dead retry " + at, exitUsage, "--all"},
		{"dead drop --all 17 " + at, exitUsage, "not both"},
		{"dead drop --flow orders " + at, exitUsage, "go with --all"},
		{"dead retry 17 99 " + at, exitWrong, "[99]"},
		{"lane drop flow.orders " + at, exitUsage, "accepts 2 arg"},
		{"lane drop flow.orders http.erp " + at, exitWrong, "in use"},
		{"lane drop old http.erp " + at, exitOK, ""},
		{"status --state-dir /nonexistent", exitUnreachable, "/nonexistent/syncd.sock (--state-dir): not there"},
		{"dead list --socket /nonexistent", exitUnreachable, "syncd run"},
	} {
		code, _, stderr := syncd(strings.Fields(tc.args)...)
		if code != tc.code || !strings.Contains(stderr, tc.says) || tc.says == "" && stderr != "" {
			t.Errorf("syncd %s: code %d, stderr %q", tc.args, code, stderr)
		}
	}
}

func TestStatusText(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	last, probe := now.Add(-3*time.Minute), now.Add(12*time.Second)
	s := admin.Status{
		Version: "1.0", PID: 7, Started: now.Add(-3 * time.Hour), Config: "/etc/syncd", StateDir: "/var/lib/syncd", Generation: 1,
		NotAccepting: "disk full",
		Journal:      admin.JournalStatus{Bytes: 1536 << 10, MaxBytes: 10 << 30},
		Sources:      []admin.SourceStatus{{Address: "source.webhook.orders", State: admin.Running, Accepted: 1200, Refused: 3, LastEvent: &last}},
		Flows:        []admin.FlowStatus{{Address: "flow.orders", State: admin.Running, Accepted: 1200, Delivered: 1190, Pending: 10}},
		Lanes:        []admin.LaneStatus{{Flow: "flow.orders", Sink: "sink.http.erp", State: admin.Stopped, Backlog: 10, LastError: "dial tcp:\nrefused", NextProbe: &probe}},
	}
	var b strings.Builder
	if err := writeStatus(&b, s, now); err != nil {
		t.Fatal(err)
	}
	want := `syncd 1.0, pid 7, started 3h ago, configuration 1
config /etc/syncd, state /var/lib/syncd, journal 1.5 MiB of 10 GiB
NOT ACCEPTING: disk full

SOURCE                 STATE    ACCEPTED  DUPLICATES  REFUSED  UNROUTED  DEAD  LAST EVENT  LAST ERROR
source.webhook.orders  running      1200           0        3         0     0  3m ago

FLOW         STATE    ACCEPTED  DELIVERED  FILTERED  DEAD  DROPPED  PENDING
flow.orders  running      1200       1190         0     0        0       10

LANE OF      TO             STATE                  BACKLOG  WAITING  DEAD  LAST ERROR
flow.orders  sink.http.erp  stopped, probe in 12s       10        0     0  dial tcp: refused
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}

func TestDeadList(t *testing.T) {
	code, out, _ := syncd("dead", "list", serve(t, twoDead()))
	want := `ID  DIED    WHERE                         EVENT   ATTEMPTS  ERROR
17  3m ago  flow.orders to sink.http.erp  0193aa         2  answered 422:\x1b[31m <no>
18  3m ago  flow.orders, filter           0193ab         1  orders.hcl:14:20: body.total is nil
`
	if d := cmp.Diff(want, out); d != "" || code != exitOK {
		t.Errorf("code %d: %s", code, d)
	}
}

func TestDeadListJSON(t *testing.T) {
	for args, want := range map[string][]int64{"": {17, 18}, "--sink=http.erp": {17}, "--flow=none": nil} {
		f := twoDead()
		_, out, _ := syncd(strings.Fields("dead list --json " + serve(t, f) + " " + args)...)
		var got []admin.DeadLetter
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		var ids []int64
		for _, d := range got {
			ids = append(ids, d.ID)
		}
		if d := cmp.Diff(want, ids); d != "" {
			t.Errorf("%s: %s", args, d)
		}
	}
}

func TestDeadShow(t *testing.T) {
	code, out, _ := syncd("dead", "show", "17", serve(t, twoDead()))
	if code != exitOK {
		t.Fatal(code)
	}
	for _, want := range []string{
		"flow.orders to sink.http.erp (erp.hcl:3)", "0193aa of source.webhook.orders", `answered 422:\x1b[31m`,
		"answered 503", `    "id": 1`, "syncd dead retry 17",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
	if strings.Contains(out, "\x1b") {
		t.Error("an escape sequence reaches the terminal")
	}
}

func TestDeadRetryAndDrop(t *testing.T) {
	f := twoDead()
	at := serve(t, f)
	_, out, _ := syncd("dead", "retry", "17", at)
	if out != "1 dead letter will be tried again.\n" {
		t.Errorf("got %q", out)
	}
	_, out, _ = syncd("dead", "drop", "--all", "--sink", "sink.http.erp", "--json", at)
	var o admin.Outcome
	if err := json.Unmarshal([]byte(out), &o); err != nil || o.Done != 1 {
		t.Errorf("%v: %s", err, out)
	}
	if d := cmp.Diff([][]int64{{17}, {17}}, [][]int64{f.retried, f.dropped}); d != "" {
		t.Error(d)
	}
}

func TestLaneListJSON(t *testing.T) {
	for n, want := range []string{"[]\n", `[` + "\n  {\n    \"flow\": \"flow.a\""} {
		f := &fake{}
		for range n {
			f.status.Lanes = append(f.status.Lanes, admin.LaneStatus{Flow: "flow.a", State: admin.Orphaned})
		}
		if _, out, _ := syncd("lane", "list", "--json", serve(t, f)); !strings.HasPrefix(out, want) {
			t.Errorf("%d lanes: %q", n, out)
		}
	}
}
