package main

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine"
	"github.com/syncd/syncd/engine/config"
)

const shops = `
daemon { state_dir = "STATE" }
listener "http" "test" { address = "127.0.0.1:0" }
table "names" {
  file = "names.csv"
  key  = "code"
}
source "webhook" "shop" {
  for_each = toset([KEYS])
  path     = "/${lower(each.key)}"
  verify "none" {}
}
flow "shop" {
  for_each = toset([KEYS])
  from     = source.webhook.shop[each.key]
  filter { when = "body.shop == each.key" }
  map {
    shop = each.key
    id   = "body.id"
    name = "table('names', each.key).name ?? 'none'"
  }
  to = sink.files.out[each.key]
}
sink "files" "out" {
  for_each = toset([KEYS])
  path     = "out/${replace(each.key, " ", "_")}.ndjson"
  format "ndjson" {}
}
`

// startShops runs the daemon with a shop for each of the keys, as HCL writes them.
func startShops(t *testing.T, dir, keys string) (r engine.Ready, stop func()) {
	t.Helper()
	text := strings.NewReplacer("KEYS", keys, "STATE", filepath.Join(dir, "state")).Replace(shops)
	for name, content := range map[string]string{"shops.hcl": text, "names.csv": "code,name\nCL,Chile\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func(path string) *config.Reading { return config.Open(path, kinds(), config.Options{}) }
	readTexts := func(texts []config.Text) *config.Reading { return config.OpenTexts(texts, kinds(), config.Options{}) }
	reading := read(dir)
	if len(reading.Diagnostics) > 0 {
		t.Fatal(reading.Diagnostics)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ready, ended := make(chan engine.Ready, 1), make(chan error, 1)
	go func() {
		ended <- engine.Run(ctx, reading, engine.Options{Log: slog.New(slog.DiscardHandler), Config: dir, Read: read, ReadTexts: readTexts, Ready: func(r engine.Ready) { ready <- r }})
	}()
	select {
	case r = <-ready:
	case err := <-ended:
		t.Fatalf("it ended before it was ready: %v", err)
	}
	return r, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
	}
}

// until runs a command until it prints all that is wanted.
func until(t *testing.T, want []string, args ...string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		_, out, errs := syncd(args...)
		missing := ""
		for _, w := range want {
			if !strings.Contains(strings.Join(strings.Fields(out), " "), w) {
				missing = w
			}
		}
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("syncd %v does not print %q:\n%s%s", args, missing, out, errs)
		}
	}
}

// Two components of each for_each: every shop's orders go their own way, and status
// and the commands that take addresses know each by its key.
func TestForEachDelivers(t *testing.T) {
	dir := t.TempDir()
	r, stop := startShops(t, dir, `"CL", "St. John's"`)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	base := "http://" + r.Listeners[0].Addr.String()
	for path, body := range map[string]string{"/cl": `{"shop":"CL","id":1}`, "/st.%20john's": `{"shop":"St. John's","id":2}`} {
		resp, err := http.Post(base+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusAccepted {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
	until(t, []string{
		`source.webhook.shop["CL"] running 1`, `source.webhook.shop["St. John's"] running 1`,
		`flow.shop["CL"] running 1 1`, `flow.shop["St. John's"] running 1 1`,
		`flow.shop["St. John's"] sink.files.out["St. John's"] running 0`,
	}, "status", "--socket", r.Socket)
	want := map[string]string{
		"CL.ndjson":         `{"id":1,"name":"Chile","shop":"CL"}` + "\n",
		"St._John's.ndjson": `{"id":2,"name":"none","shop":"St. John's"}` + "\n",
	}
	got := map[string]string{}
	for name := range want {
		b, err := os.ReadFile(filepath.Join(dir, "out", name))
		if err != nil {
			t.Error(err)
		}
		got[name] = string(b)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
	stop()

	r, stop = startShops(t, dir, `"CL"`)
	defer stop()
	until(t, []string{`flow.shop["St. John's"] sink.files.out["St. John's"] orphaned`}, "lane", "list", "--socket", r.Socket)
	for _, args := range [][]string{{`flow.shop["St. John's"]`, `sink.files.out["St. John's"]`}, {"shop[St. John's]", ""}} {
		code, out, errs := syncd("lane", "drop", args[0], args[1], "--socket", r.Socket)
		if code != exitOK {
			t.Errorf("lane drop %v: %d, %s%s", args, code, out, errs)
		}
	}
	_, out, _ := syncd("lane", "list", "--socket", r.Socket)
	if strings.Contains(out, "St. John's") || !strings.Contains(out, `flow.shop["CL"]`) {
		t.Errorf("after the drop:\n%s", out)
	}
}

func TestAddresses(t *testing.T) {
	for typed, want := range map[string]string{
		"orders":                      "flow.orders",
		"flow.orders":                 "flow.orders",
		`orders["cl"]`:                `flow.orders["cl"]`,
		"orders[cl]":                  `flow.orders["cl"]`,
		`flow.orders[St. John's]`:     `flow.orders["St. John's"]`,
		`flow.orders["a]b"]`:          `flow.orders["a]b"]`,
		`orders["say \"x\", [1].y]"]`: `flow.orders["say \"x\", [1].y]"]`,
		"orders[":                     "flow.orders[",
		"":                            "",
	} {
		if got := address("flow", typed); got != want {
			t.Errorf("%s: %s, want %s", typed, got, want)
		}
	}
}
