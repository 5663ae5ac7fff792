package config

import (
	"hash/maphash"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
)

const digested = `
variable "site" { default = "scl" }
variable "other" { default = "x" }
locals { limit = 5 }
secret "key" { value = "k1" }
table "skus" {
  file = "skus.csv"
  key  = "sku"
}
connection "crm" "main" { url = "https://x" }
source "webhook" "a" {
  description = "for people"
  path        = "/hooks/${var.site}"
  id          = "meta.header['x']"
  verify "hmac" {
    header = "X"
    secret = secret.key
  }
}
flow "f" {
  from = source.webhook.a
  filter { when = "body.n > local.limit" }
  apply { transform = transform.clean }
  map {
    sign = "hmacSha256(secret.key, body.x)"
    name = "table('skus', body.sku).name"
  }
  to = [sink.log.x, flow.g]
}
flow "g" {
  route {
    case "big" {
      when = "body.n > 100"
      to   = sink.log.x
    }
  }
}
transform "clean" {
  map { x = "body.x + var.other" }
}
sink "log" "x" { when = "body.ok" }
`

// What an edit changes, and nothing beside it.
func TestParts(t *testing.T) {
	const table = "sku,name\na,Lamp\n"
	parts := func(t *testing.T, text, table string) map[component.Address]Parts {
		cfg, _, _ := mustLoad(t, map[string]string{"a.hcl": text, "skus.csv": table}, Options{})
		all := map[component.Address]Parts{}
		for _, c := range append(append(cfg.Connections, cfg.Sources...), cfg.Sinks...) {
			all[c.Address] = c.Parts
		}
		for _, f := range cfg.Flows {
			all[f.Address] = f.Parts
		}
		return all
	}
	text := strings.ReplaceAll(digested, `connection "crm" "main" { url = "https://x" }`, "")
	before := parts(t, text, table)
	for _, c := range []struct {
		name, old, new string
		table          string
		want           map[component.Address][]string
	}{
		{"nothing", "", "", table, nil},
		{"a comment and more lines", "flow \"f\"", "# hello\n\n\nflow \"f\"", table, nil},
		{"a description", "for people", "for others", table, nil},
		{"a variable in a value", `"scl"`, `"lim"`, table, map[component.Address][]string{"source.webhook.a": {"path"}}},
		{"a variable in an applied transform", `"x" }`, `"y" }`, table, map[component.Address][]string{"flow.f": {"steps"}}},
		{"a local in an expression", "limit = 5", "limit = 6", table, map[component.Address][]string{"flow.f": {"steps"}}},
		{"a secret", `"k1"`, `"k2"`, table, map[component.Address][]string{"source.webhook.a": {"verify"}, "flow.f": {"steps"}}},
		{"a row of a table", "", "", "sku,name\na,Chair\n", map[component.Address][]string{"flow.f": {"steps"}}},
		{"a called flow", "> 100", "> 200", table, map[component.Address][]string{"flow.f": {"flow.g"}, "flow.g": {"steps"}}},
		{"a sink's condition", "body.ok", "not body.ok", table, map[component.Address][]string{
			"flow.f": {"sink.log.x when"}, "flow.g": {"sink.log.x when"}, "sink.log.x": {"when"}}},
		{"an id", "['x']", "['y']", table, map[component.Address][]string{"source.webhook.a": {"id"}}},
		{"where a flow leads", "[sink.log.x, flow.g]", "[sink.log.x]", table, map[component.Address][]string{"flow.f": {"flow.g", "steps"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			edited := strings.Replace(text, c.old, c.new, 1)
			if c.old != "" && edited == text {
				t.Fatal("nothing is edited")
			}
			after := parts(t, edited, c.table)
			got := map[component.Address][]string{}
			for address, p := range before {
				if names := p.Differ(after[address]); names != nil {
					got[address] = names
				}
			}
			if len(got) == 0 {
				got = nil
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("changed (-want +got):\n%s", diff)
			}
		})
	}
}

// A file that a component reads is part of it.
func TestPartsOfFiles(t *testing.T) {
	dir := writeFiles(t, map[string]string{"a.hcl": `sink "files" "x" { path = "out.csv" }`, "cert.pem": "one"})
	d := digester{l: newLoader(testKinds, Options{}), seed: digestSeed}
	file := filepath.Join(dir, "cert.pem")
	sum := func() Parts {
		p := Parts{}
		p["cert"] = d.sum(func(h *maphash.Hash) { d.file(h, file) })
		return p
	}
	before := sum()
	if before.Differ(sum()) != nil {
		t.Error("an unchanged file differs")
	}
	if err := os.WriteFile(file, []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	if before.Differ(sum()) == nil {
		t.Error("a changed file does not differ")
	}
}
