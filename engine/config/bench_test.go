package config

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// manyFlows writes n files, each with a source, a flow of eleven expressions that no
// other has, and a sink.
func manyFlows(b *testing.B, n int) string {
	b.Helper()
	dir := b.TempDir()
	for i := range n {
		text := fmt.Sprintf(`source "webhook" "s%[1]d" {
  path = "/hooks/%[1]d"
  id   = "meta.header['x-event-%[1]d']"
  verify "none" {}
}
flow "f%[1]d" {
  from = source.webhook.s%[1]d
  filter { when = "body.total > %[1]d and body.country in ['CL', 'PE']" }
  map {
    order_id = "body.id + %[1]d"
    email    = "lower(body.customer.email ?? 'nobody%[1]d')"
    shipping = { city = "body.address.city%[1]d", country = "upper(body.address.cc%[1]d ?? 'CL')" }
    lines    = "map(body.line_items, {{sku: .sku, qty: .quantity + %[1]d}})"
    total    = "body.total * %[1]d"
    note     = "body.note%[1]d ?? ''"
    site     = var.site
  }
  to = sink.files.out%[1]d
}
sink "files" "out%[1]d" {
  path    = "out/{{ body.order_id + %[1]d }}/${var.site}.csv"
  command = ["/bin/x", "{{ body.n%[1]d }}"]
}
`, i)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%04d.hcl", i)), []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "var.hcl"), []byte(`variable "site" { default = "scl" }`), 0o644); err != nil {
		b.Fatal(err)
	}
	return dir
}

func benchmarkLoad(b *testing.B, n int) {
	dir := manyFlows(b, n)
	b.ReportAllocs()
	for b.Loop() {
		cfg, diags := Load(dir, testKinds, Options{})
		if cfg == nil || len(cfg.Flows) != n {
			b.Fatal(rendered(diags))
		}
	}
}

func BenchmarkLoad200(b *testing.B)  { benchmarkLoad(b, 200) }
func BenchmarkLoad1000(b *testing.B) { benchmarkLoad(b, 1000) }
