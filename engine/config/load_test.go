package config

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

// environment is a LookupEnv over a map.
func environment(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}

// mustLoad loads files, by name, that have no errors.
func mustLoad(t *testing.T, files map[string]string, opts Options) (*Config, Diagnostics, string) {
	t.Helper()
	dir := writeFiles(t, files)
	cfg, diags := Load(dir, testKinds, opts)
	if diags.HasErrors() {
		t.Fatalf("unexpected errors:\n%s", rendered(diags))
	}
	return cfg, diags, dir
}

func writeFiles(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func rendered(d Diagnostics) string {
	var b strings.Builder
	d.Write(&b)
	return b.String()
}

func loadGood(t *testing.T) (*Config, string) {
	t.Helper()
	dir, err := filepath.Abs("testdata/good")
	if err != nil {
		t.Fatal(err)
	}
	cfg, diags := Load(dir, testKinds, Options{LookupEnv: environment(map[string]string{"PORT": "8443"})})
	if len(diags) > 0 {
		t.Fatalf("unexpected diagnostics:\n%s", rendered(diags))
	}
	return cfg, dir
}

func TestLoadsValues(t *testing.T) {
	cfg, dir := loadGood(t)

	hook := cfg.Sources[0].Config.(*hookConfig)
	no := false
	want := &hookConfig{
		Path: "/hooks/scl", Methods: []string{"POST", "PUT"}, Listener: component.Ref{Address: "listener.http.public"},
		MaxBody: 2 << 20, AllowIPs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		RateLimit: component.Rate{N: 600, Per: time.Minute}, Strict: &no, Weight: 1.5,
		Answer: map[string]any{"ok": true, "n": int64(5), "list": []any{"a", 1.5}},
		Verify: []hookVerify{{HMAC: &hookHMAC{Header: "X-Signature", Algorithm: "sha256", Secret: component.NewSecret("plain")}}, {None: &struct{}{}}},
		Limits: hookLimits{Depth: 20, Keys: 1000}, Header: []hookHeader{{"X-A"}, {"X-B"}}, Labels: map[string]string{"team": "shop"},
	}
	opts := cmp.Options{cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }), cmp.Comparer(func(a, b component.Secret) bool { return a == b })}
	if diff := cmp.Diff(want, hook, opts); diff != "" {
		t.Errorf("webhook (-want +got):\n%s", diff)
	}

	src := cfg.Sources[0]
	if !src.Source.Enabled || src.Source.DedupeWindow != 24*time.Hour || !src.Source.ID.IsSet() || src.Source.Key.IsSet() || src.Source.Redact[0] != "body.card" {
		t.Errorf("common attributes: %+v", src.Source)
	}
	if diff := cmp.Diff([]component.Address{"listener.http.public"}, src.Refs); diff != "" || src.Place != "main.hcl:34" {
		t.Errorf("refs %v, place %s", src.Refs, src.Place)
	}

	conn := cfg.Connections[0].Config.(*connConfig)
	if conn.BaseURL != "https://scl.example.com" || conn.Password.Reveal() != "hunter2" || conn.Timeout != 90*time.Second || conn.Port != 8443 ||
		conn.Headers["Authorization"].Reveal() != "Bearer hunter2" || conn.TLS.CA != filepath.Join(dir, "ca.pem") {
		t.Errorf("connection: %+v, TLS %+v", conn, conn.TLS)
	}

	wantListener := &Listener{
		Address: "listener.http.public", Listen: "0.0.0.0:8443", Place: "main.hcl:8",
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.168.0.1/32")},
		TLS:            &TLS{Cert: filepath.Join(dir, "certs/hook.pem"), Key: "/etc/ssl/hook.key"},
	}
	if diff := cmp.Diff([]*Listener{wantListener}, cfg.Listeners, opts); diff != "" {
		t.Errorf("listeners (-want +got):\n%s", diff)
	}

	wantDaemon := Daemon{
		StateDir: "/tmp/state", Reload: "auto", ShutdownGrace: 10 * time.Second, MaxInFlight: 256 << 20,
		Log: Log{Level: "info", Format: "json"}, Journal: Journal{MaxSize: 1 << 30, Backlog: 2 << 30, Retention: 72 * time.Hour},
	}
	if diff := cmp.Diff(wantDaemon, cfg.Daemon); diff != "" {
		t.Errorf("daemon (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Moved{{From: "source.webhook.old", To: "source.webhook.orders"}, {From: "flow.shop", To: `flow.shop["cl"]`}}, cfg.Moved, cmpopts.IgnoreFields(Moved{}, "Place")); diff != "" {
		t.Errorf("moved (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{filepath.Join(dir, "flows.hcl"), filepath.Join(dir, "main.hcl"), filepath.Join(dir, "shops.hcl")}, cfg.Files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestLoadsFlow(t *testing.T) {
	cfg, _ := loadGood(t)
	f := cfg.Flows[0]
	if f.Address != "flow.orders" || !f.Enabled || f.Concurrency != 16 || f.Start != (Start{Back: 2 * time.Hour}) || !f.OrderBy.IsSet() || f.Description != "Orders" {
		t.Errorf("flow: %+v", f)
	}
	if diff := cmp.Diff([]component.Address{"source.webhook.orders"}, f.From); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]component.Address{"sink.http.erp", "sink.files.export"}, f.Body.To); diff != "" {
		t.Error(diff)
	}
	var types []string
	for _, s := range f.Body.Steps {
		types = append(types, s.Type+" "+s.Label+" "+s.Place)
	}
	if diff := cmp.Diff([]string{"filter positive flows.hcl:8", "apply  flows.hcl:10", "map  flows.hcl:12", "route  flows.hcl:18"}, types); diff != "" {
		t.Error(diff)
	}
	if got := f.Body.Steps[1].Apply.Steps; len(got) != 1 || got[0].Type != "remove" {
		t.Errorf("applied: %+v", got)
	}
	if diff := cmp.Diff([]string{"zeta", "alpha", "obj"}, f.Body.Steps[2].Config.(*mapConfig).Fields.Fields()); diff != "" {
		t.Error(diff)
	}
	route := f.Body.Steps[3]
	if route.All || len(route.Cases) != 3 {
		t.Fatalf("route: %+v", route)
	}
	for i, want := range []struct {
		name string
		when bool
		to   []component.Address
	}{{"vip", true, []component.Address{"flow.vip"}}, {"big", true, nil}, {"otherwise", false, []component.Address{"sink.log.debug"}}} {
		c := route.Cases[i]
		if c.Name != want.name || c.When.IsSet() != want.when || cmp.Diff(want.to, c.Body.To) != "" {
			t.Errorf("case %d: %+v to %v", i, c, c.Body.To)
		}
	}
}

func TestLoadsTemplates(t *testing.T) {
	cfg, dir := loadGood(t)
	in := &expr.Input{Body: map[string]any{"id": int64(7), "day": "2026-01-02"}}
	call := cfg.Sinks[0].Config.(*callConfig)
	export := cfg.Sinks[1].Config.(*appendConfig)
	for _, c := range []struct {
		t    expr.Template
		want string
	}{
		{call.Path, "/orders/scl/7"},
		{call.Headers["Authorization"], "Bearer hunter2"},
		{call.Headers["X-Order"], "7"},
		{export.Path, dir + "/out/2026-01-02.csv"},
		{export.Command[2], "7"},
	} {
		if got, err := c.t.Eval(in); err != nil || got != c.want {
			t.Errorf("got %q, %v; want %q", got, err, c.want)
		}
	}
	if want := filepath.Join(dir, "countries.csv"); export.Lookup != want {
		t.Errorf("lookup %q, want %q", export.Lookup, want)
	}
}
