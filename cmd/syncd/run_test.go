package main

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine"
	"github.com/syncd/syncd/engine/config"
)

// lines is a writer that hands on what is logged.
type lines chan string

func (l lines) Write(p []byte) (int, error) { l <- string(p); return len(p), nil }

func TestSignals(t *testing.T) {
	logged := make(lines, 4)
	ctx, hangup, stop := untilSignal(t.Context(), slog.New(slog.NewTextHandler(logged, nil)))
	defer stop()
	syscall.Kill(os.Getpid(), syscall.SIGHUP)
	<-hangup
	if ctx.Err() != nil {
		t.Fatal("SIGHUP stopped it")
	}
	syscall.Kill(os.Getpid(), syscall.SIGTERM)
	<-ctx.Done()
	if l := <-logged; !strings.Contains(l, "signal=terminated") {
		t.Errorf("logged %q", l)
	}
}

// A log follows its block, also for those who have been given a part of it before.
func TestLog(t *testing.T) {
	var b strings.Builder
	log := newLog(&b, config.Log{Level: "warn", Format: "json"})
	part := log.With("component", "sink.log.x").WithGroup("g").With("n", 1)
	part.Info("no")
	part.Warn("yes")
	if got := b.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `"msg":"yes","component":"sink.log.x","g":{"n":1}`) {
		t.Errorf("logged %s", got)
	}
	b.Reset()
	log.set(config.Log{Level: "debug", Format: "text"})
	part.Debug("now")
	if got := b.String(); !strings.Contains(got, "level=DEBUG msg=now component=sink.log.x g.n=1") {
		t.Errorf("logged %s", got)
	}
}

func TestVariables(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.hcl")
	text := "variable \"site\" {}\nvariable \"q\" {}\nsink \"log\" \"l\" { description = \"${var.site} ${var.q}\" }\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--var", "site=scl", "--var", "q=a=b"}, exitOK, ""},
		{[]string{"--strict", "--var=q="}, exitWrong, "site"},
		{[]string{"--var", "site"}, exitUsage, "NAME=VALUE"},
		{[]string{"--var", "=x"}, exitUsage, "NAME=VALUE"},
	} {
		code, _, errs := syncd(append([]string{"validate", "-c", file}, tc.args...)...)
		if code != tc.code || !strings.Contains(errs, tc.says) {
			t.Errorf("%v: code %d: %s", tc.args, code, errs)
		}
	}
}

func TestBanner(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "orders.json"), []byte("{\n \"name\": \"O'Higgins\"\n}"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "syncd.hcl")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := engine.Ready{
		StateDir: "/s", Socket: "/s/syncd.sock",
		Listeners: []engine.Listening{
			{Address: "listener.http.a", Addr: &net.TCPAddr{IP: net.IPv6unspecified, Port: 8443}, TLS: true},
			{Address: "listener.http.b", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}},
		},
		Routes: []engine.Mounted{
			{Source: "source.webhook.orders", Listener: "listener.http.a", Methods: []string{"POST"}, Path: "/hooks/{shop}/{rest...}"},
			{Source: "source.webhook.pings", Listener: "listener.http.b", Methods: []string{"PUT"}, Path: "/{$}"},
		},
	}
	for _, path := range []string{dir, file} {
		var b strings.Builder
		writeBanner(&b, path, &config.Config{}, r, 34*time.Millisecond)
		want := "syncd " + versionName() + " is ready after 34ms\n" +
			"  configuration  " + path + " (0 sources, 0 flows, 0 sinks)\n" +
			"  state          /s\n" +
			"  socket         /s/syncd.sock\n" +
			"  listening      https://127.0.0.1:8443\n" +
			"  listening      http://127.0.0.1:8080\n\n" +
			"Try it:\n" +
			`  curl -H 'Content-Type: application/json' -d '{"name":"O'\''Higgins"}' https://127.0.0.1:8443/hooks/shop/rest` + "\n" +
			`  curl -X PUT -H 'Content-Type: application/json' -d '{"id":1}' http://127.0.0.1:8080/` + "\n\n"
		if d := cmp.Diff(want, b.String()); d != "" {
			t.Errorf("%s: %s", path, d)
		}
	}
}

// No more than one line of output is worth a body of megabytes.
func TestSampleIsBounded(t *testing.T) {
	dir := t.TempDir()
	for content, want := range map[string]string{
		`"` + strings.Repeat("x", maxSample) + `"`: `{"id":1}`,
		`{broken`:    `{"id":1}`,
		` {"a": 1} `: `{"a":1}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, "s.json"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := sample(dir, "source.webhook.s"); got != want {
			t.Errorf("got %s", got)
		}
	}
}
