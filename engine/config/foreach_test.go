package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

func addressesOf(list []*Component) []string {
	var all []string
	for _, c := range list {
		all = append(all, string(c.Address))
	}
	return all
}

func findFlow(t *testing.T, cfg *Config, addr component.Address) *Flow {
	t.Helper()
	i := slices.IndexFunc(cfg.Flows, func(f *Flow) bool { return f.Address == addr })
	if i < 0 {
		t.Fatalf("no %s", addr)
	}
	return cfg.Flows[i]
}

// One component for each element, each with its own values, references and
// expressions, and nothing of for_each left.
func TestForEachMakesComponents(t *testing.T) {
	cfg, _ := loadGood(t)
	got := [][]string{addressesOf(cfg.Connections)[1:], addressesOf(cfg.Sources)[1:], addressesOf(cfg.Sinks)[3:]}
	want := [][]string{
		{`connection.http.shop["cl"]`, `connection.http.shop["pe.lima"]`},
		{`source.webhook.shop["cl"]`, `source.webhook.shop["pe.lima"]`},
		{`sink.http.shop["cl"]`, `sink.http.shop["pe.lima"]`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}

	lima := cfg.Sources[2]
	hook := lima.Config.(*hookConfig)
	if hook.Path != "/shops/pe.lima" || hook.Verify[0].HMAC.Secret.Reveal() != "hunter4" || lima.Place != "shops.hcl:17" {
		t.Errorf("source: path %s, place %s", hook.Path, lima.Place)
	}
	if v, _ := lima.Source.Key.Literal(); v != "PE" {
		t.Errorf("key %v", v)
	}
	if v, err := lima.Source.ID.Eval(&expr.Input{Body: map[string]any{"id": int64(7)}}); err != nil || v != "pe.lima-7" {
		t.Errorf("id %v, %v", v, err)
	}

	call := cfg.Sinks[4].Config.(*callConfig)
	if call.Connection.Address != `connection.http.shop["pe.lima"]` || !slices.Contains(cfg.Sinks[4].Refs, call.Connection.Address) {
		t.Errorf("sink refers to %s, %v", call.Connection.Address, cfg.Sinks[4].Refs)
	}
	if path, err := call.Path.Eval(&expr.Input{Body: map[string]any{"country": "PE"}}); err != nil || path != "/pe.lima/pe.lima/Per%C3%BA" {
		t.Errorf("path %s, %v", path, err)
	}
}

func TestForEachMakesFlows(t *testing.T) {
	cfg, _ := loadGood(t)
	lima := findFlow(t, cfg, `flow.shop["pe.lima"]`)
	if diff := cmp.Diff([]component.Address{`source.webhook.shop["pe.lima"]`}, lima.From); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]component.Address{`sink.http.shop["pe.lima"]`}, lima.Body.To); diff != "" {
		t.Error(diff)
	}
	all := findFlow(t, cfg, "flow.all")
	if diff := cmp.Diff([]component.Address{`source.webhook.shop["cl"]`, `source.webhook.shop["pe.lima"]`}, all.From); diff != "" {
		t.Errorf("the address alone (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]component.Address{`sink.http.shop["pe.lima"]`, `sink.http.shop["cl"]`}, all.Body.To); diff != "" {
		t.Error(diff)
	}

	when := lima.Body.Steps[0].Config.(*filterConfig).When
	for body, want := range map[string]bool{"PE 49": true, "PE 50": false, "CL 1": false} {
		var country string
		var total int64
		fmt.Sscan(body, &country, &total)
		if got, err := when.Bool(&expr.Input{Body: map[string]any{"country": country, "total": total}}); err != nil || got != want {
			t.Errorf("%s: %v, %v", body, got, err)
		}
	}
	var made []any
	for _, addr := range []component.Address{`flow.shop["cl"]`, `flow.shop["pe.lima"]`} {
		fields := findFlow(t, cfg, addr).Body.Steps[1].Config.(*mapConfig).Fields
		v, err := fields.Eval(&expr.Input{Seed: "event"})
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, v)
	}
	cl, pe := made[0].(map[string]any), made[1].(map[string]any)
	if cl["shop"] != "cl" || cl["vat"] != int64(19) || pe["shop"] != "pe.lima" || pe["vat"] != int64(18) {
		t.Errorf("made %v and %v", cl, pe)
	}
	if cl["id"] == pe["id"] {
		t.Error("two flows make the same uuid of one event")
	}
}

// A uuid belongs to its component: another key changes none of the others'.
func TestForEachKeepsUUIDs(t *testing.T) {
	uuidOf := func(keys string) any {
		cfg, _, _ := mustLoad(t, map[string]string{"main.hcl": `
source "webhook" "in" {
  path = "/in"
  verify "none" {}
}
sink "log" "out" {}
flow "f" {
  for_each = toset([` + keys + `])
  from = source.webhook.in
  map { id = "uuid()" }
  to = sink.log.out
}`}, Options{})
		v, err := findFlow(t, cfg, `flow.f["cl"]`).Body.Steps[0].Config.(*mapConfig).Fields.Eval(&expr.Input{Seed: "event"})
		if err != nil {
			t.Fatal(err)
		}
		return v.(map[string]any)["id"]
	}
	if a, b := uuidOf(`"cl"`), uuidOf(`"ar", "cl"`); a != b {
		t.Errorf("%v is %v beside another", a, b)
	}
}

// Keys hold what they like, also what addresses are made of.
func TestForEachKeys(t *testing.T) {
	keys := []string{"a.b", "a b", `say "hi"`, `back\slash`, "${x}", "ñandú", "[0]", "placeholder", "/x/../y", "source.webhook.in"}
	var written []string
	for _, key := range keys {
		written = append(written, component.QuoteKey(key))
	}
	slices.Sort(keys)
	cfg, _, _ := mustLoad(t, map[string]string{"main.hcl": strings.ReplaceAll(`
source "webhook" "in" {
  for_each = [KEYS]
  path     = "/${replace(base64encode(each.key), "=", "")}"
  verify "none" {}
}
sink "log" "out" { for_each = toset([KEYS]) }
flow "f" {
  from = [source.webhook.in[`+strings.Join(written, "], source.webhook.in[")+`]]
  to   = sink.log.out
}`, "KEYS", strings.Join(written, ", "))}, Options{})
	for i, key := range keys {
		if got, want := cfg.Sources[i].Address, component.Address("source.webhook.in").Instance(key); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	f := cfg.Flows[0]
	if len(f.From) != len(keys) || len(f.Body.To) != len(keys) {
		t.Errorf("from %d, to %d of %d", len(f.From), len(f.Body.To), len(keys))
	}
}

// Over something that is not known here, a block is checked like one component,
// and references to any of its keys are right.
func TestForEachOverPlaceholders(t *testing.T) {
	const text = `
source "webhook" "shop" {
  for_each = toset(split(",", env("SHOPS")))
  path     = "/${each.key}"
  max_body = each.value.size
  labels   = each.value.labels
  id       = "lower(each.value.prefix) + each.key"
  key      = each.value.name
  verify "hmac" {
    header = "X"
    secret = each.value.secret
  }
}
sink "http" "erp" {
  for_each   = jsondecode(env("ERPS"))
  connection = connection.http.erp[each.key]
  path       = "/{{ each.value.path }}"
  success    = each.value.success
}
connection "http" "erp" {
  for_each = jsondecode(env("ERPS"))
  base_url = each.value.url
}
sink "log" "known" { for_each = toset(["a", "b"]) }
flow "f" {
  from = [source.webhook.shop["cl"], source.webhook.shop["pe"]]
  to   = [sink.http.erp, sink.log.known["a"], sink.log.known[env("WHICH")]]
}
flow "each" {
  for_each = jsondecode(env("ERPS"))
  enabled  = each.value.enabled
  from     = source.webhook.shop
  filter { when = "body.total > each.value.limit" }
  map { a = each.value.a }
  to = sink.http.erp[each.key]
}
`
	cfg, diags, _ := mustLoad(t, map[string]string{"main.hcl": text}, Options{Placeholders: true})
	for _, d := range diags {
		if !strings.HasPrefix(d.Summary, "environment variable") {
			t.Errorf("unexpected:\n%s", rendered(Diagnostics{d}))
		}
	}
	if diff := cmp.Diff([]string{`source.webhook.shop["placeholder"]`}, addressesOf(cfg.Sources)); diff != "" {
		t.Error(diff)
	}
}

// Of a map whose values are not known, the keys are.
func TestForEachKnowsTheKeysOfUnknownValues(t *testing.T) {
	cfg, _, _ := mustLoad(t, map[string]string{"main.hcl": `
source "webhook" "shop" {
  for_each = { cl = env("CL"), pe = "/pe" }
  path     = each.value
  verify "none" {}
}` + strings.ReplaceAll(logFlow, "orders", "shop")}, Options{Placeholders: true})
	if diff := cmp.Diff([]string{`source.webhook.shop["cl"]`, `source.webhook.shop["pe"]`}, addressesOf(cfg.Sources)); diff != "" {
		t.Error(diff)
	}
}

// An empty for_each makes nothing and is nothing to complain of; what it would
// claim and listen on stays free.
func TestForEachOverNothing(t *testing.T) {
	cfg, diags, _ := mustLoad(t, map[string]string{"main.hcl": `
locals { off = {} }
source "webhook" "shop" {
  for_each = local.off
  path     = "/shop"
  verify "none" {}
}
sink "files" "out" {
  for_each = local.off
  path     = "out.csv"
}
connection "http" "crm" {
  for_each = local.off
  base_url = each.value.url
}
flow "f" {
  for_each = local.off
  from     = source.webhook.real
  to       = sink.log.real
}
source "webhook" "real" {
  path = "/shop"
  verify "none" {}
}
sink "log" "real" {}
flow "real" {
  from = source.webhook.real
  to   = sink.log.real
}`}, Options{})
	if len(diags) > 0 {
		t.Errorf("unexpected:\n%s", rendered(diags))
	}
	if len(cfg.Sources) != 1 || len(cfg.Sinks) != 1 || len(cfg.Connections) != 0 || len(cfg.Flows) != 1 {
		t.Errorf("%d sources, %d sinks, %d connections, %d flows", len(cfg.Sources), len(cfg.Sinks), len(cfg.Connections), len(cfg.Flows))
	}
}

// What is sensitive in a value goes where secrets go, and nowhere else.
func TestForEachSensitiveValue(t *testing.T) {
	_, diags := Load(writeFiles(t, map[string]string{"main.hcl": `
source "webhook" "shop" {
  for_each = { cl = { token = sensitive("planted"), path = "/cl" } }
  path     = each.value.path
  id       = "each.value.path"
  key      = "each.value.token"
  labels   = { x = each.value.token }
  verify "hmac" {
    header = "X"
    secret = each.value.token
  }
}` + strings.ReplaceAll(logFlow, "orders", "shop")}), testKinds, Options{})
	want := []string{"error: sensitive value in expression", "error: sensitive value not allowed in labels"}
	if diff := cmp.Diff(want, summaries(diags)); diff != "" || strings.Contains(rendered(diags), "planted") {
		t.Errorf("(-want +got):\n%s\n%s", diff, rendered(diags))
	}
}
