package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// options of the daemon that the benchmarks vary.
type options struct {
	sinks     []string // addresses
	retention string
}

// orderMap is the step that mapOrder imitates.
const orderMap = `
  map {
    order_id   = "body.id"
    email      = "lower(body.customer.email)"
    name       = "body.customer.name"
    city       = "body.customer.address.city"
    currency   = "body.currency"
    total      = "sum(body.items, .qty * .price)"
    item_count = "len(body.items)"
    skus       = "map(body.items, .sku)"
  }
`

// configuration is one webhook whose flow leads to every sink.
func (o options) configuration(addr string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `
daemon {
  state_dir = "state"
  journal { retention = %q }
}
listener "http" "in" { address = %q }
source "webhook" "orders" {
  path = "/orders"
  verify "none" {}
}
`, o.retention, addr)
	var names []string
	for i, s := range o.sinks {
		names = append(names, fmt.Sprintf("sink.http.out%d", i))
		fmt.Fprintf(&b, `
connection "http" "out%[1]d" { base_url = "http://%[2]s" }
sink "http" "out%[1]d" {
  connection  = connection.http.out%[1]d
  path        = "/"
  concurrency = 64
  breaker { pause = "1s" }
}
`, i, s)
	}
	fmt.Fprintf(&b, `
flow "orders" {
  from        = source.webhook.orders
  concurrency = 64
%s
  to = [%s]
}
`, orderMap, strings.Join(names, ", "))
	return b.String()
}

func startDaemon(tb testing.TB, o options) *process {
	tb.Helper()
	addr := freeAddr(tb)
	return runDaemon(tb, addr, "/orders", o.configuration(addr))
}

// runDaemon starts a daemon with the configuration, whose state_dir is "state".
func runDaemon(tb testing.TB, addr, path, configuration string) *process {
	tb.Helper()
	bin, err := binary()
	if err != nil {
		tb.Fatal(err)
	}
	p := process{addr: addr, path: path, dir: tb.TempDir()}
	file := filepath.Join(p.dir, "syncd.hcl")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		tb.Fatal(err)
	}
	return start(tb, p, nil, bin, "run", "-c", file)
}

func (p *process) state() string { return filepath.Join(p.dir, "state") }
