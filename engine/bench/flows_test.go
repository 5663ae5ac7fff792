package bench

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// BenchmarkFlows starts a daemon with many flows, each with its own webhook and
// with expressions that no other flow has. "ready" is the time until the first and
// the last flow have accepted an order; the memory is that of a daemon which has
// then been left alone.
func BenchmarkFlows(b *testing.B) {
	for _, flows := range []int{1, 200} {
		b.Run(fmt.Sprintf("flows=%d", flows), func(b *testing.B) {
			for b.Loop() {
				var ready, idle, cpu []float64
				for range pairs {
					f := startFlows(b, flows)
					ready, idle, cpu = append(ready, f.ready), append(idle, f.rss), append(cpu, f.cpu)
					b.Logf("ready after %.0f ms, idle at %.1f MiB", f.ready, f.rss)
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(middle(ready), "ready-ms")
				b.ReportMetric(middle(cpu), "start-cpu-ms")
				b.ReportMetric(middle(idle), "idle-MiB")
			}
		})
	}
}

// standing is a daemon that has just started.
type standing struct {
	ready, cpu float64 // milliseconds
	rss        float64 // MiB
}

// leftAlone is how long a daemon stands idle before its memory is looked at.
const leftAlone = 3 * time.Second

func startFlows(b *testing.B, flows int) standing {
	s := newSink(b, 2)
	defer s.close()
	addr := freeAddr(b)
	configuration := manyFlows(addr, s.addr(), flows)
	if _, err := binary(); err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	p := runDaemon(b, addr, "", configuration)
	defer p.stop(b)
	p.await(b, 0, "/orders/0", fmt.Sprintf("/orders/%d", flows-1))
	at := standing{ready: milliseconds(time.Since(began)), cpu: milliseconds(p.usage(b).cpu)}
	time.Sleep(leftAlone)
	at.rss = p.usage(b).rss
	return at
}

func manyFlows(addr, sink string, flows int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `
daemon { state_dir = "state" }
listener "http" "in" { address = %q }
connection "http" "out" { base_url = "http://%s" }
sink "http" "out" {
  connection = connection.http.out
  path       = "/"
}
`, addr, sink)
	for i := range flows {
		fmt.Fprintf(&b, `
source "webhook" "orders%[1]d" {
  path = "/orders/%[1]d"
  verify "none" {}
}
flow "orders%[1]d" {
  from = source.webhook.orders%[1]d
  filter { when = "len(body.items) > 0 and body.customer.number != %[1]d" }
  map {
    order_id   = "body.id"
    email      = "lower(body.customer.email)"
    name       = "body.customer.name"
    city       = "upper(body.customer.address.city) + ' %[1]d'"
    currency   = "body.currency"
    total      = "sum(body.items, .qty * .price) * (%[1]d + 1)"
    item_count = "len(filter(body.items, .qty < %[1]d + 10))"
    skus       = "map(body.items, .sku + '-%[1]d')"
    shop       = "body.channel in ['web', 'app'] ? 'shop %[1]d' : 'other'"
    bucket     = "(body.customer.number + %[1]d) %% %[2]d"
  }
  to = sink.http.out
}
`, i, i+7)
	}
	return b.String()
}
