package lsp

import (
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"go.lsp.dev/protocol"
)

// large is a configuration of some 2,000 lines in one file, and the place in the middle
// of it where somebody types.
func large() (before, after string) {
	var b strings.Builder
	for i := range 112 {
		fmt.Fprintf(&b, `source "webhook" "s%[1]d" {
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
  }
  to = sink.http.out%[1]d
}
sink "http" "out%[1]d" {
  connection = connection.http.crm
  path       = "/orders/{{ body.order_id + %[1]d }}"
}
`, i)
		if i == 55 {
			before = b.String()
			b.Reset()
		}
	}
	return before + "flow \"typed\" {\n  filter { when = \"body.total > 0 and ", "\" }\n  to = sink.log.debug\n}\n" + b.String()
}

// BenchmarkKeystroke types a character in a file of 2,000 lines and asks for a
// completion at once, as an editor does. How long the answer takes and how long the
// diagnostics of the new text, is told as p95.
func BenchmarkKeystroke(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(GCPercent))
	s := start(b, map[string]string{"other.hcl": declared})
	before, after := large()
	if n := strings.Count(before+after, "\n"); n < 2000 {
		b.Fatal(n, "lines")
	}
	if got := s.open("a.hcl", before+"true"+after); slices.ContainsFunc(got, func(d protocol.Diagnostic) bool { return d.Severity == protocol.DiagnosticSeverityError }) {
		b.Fatal(shown(got))
	}
	var answers, diagnostics []time.Duration
	for b.Loop() {
		s.version++
		typed := before + "bod"[:2+int(s.version)%2]
		began := time.Now()
		s.send("a.hcl", typed+after)
		_, at := s.place("a.hcl", typed+"¦"+after)
		result, err := s.Completion(b.Context(), &protocol.CompletionParams{TextDocumentPositionParams: at})
		answers = append(answers, time.Since(began))
		if err != nil || !slices.Contains(labels(result.(*protocol.CompletionList).Items), "body") {
			b.Fatal(err)
		}
		got := shown(s.await("a.hcl", s.version))
		if len(got) != 1 || !strings.HasSuffix(got[0], "unknown name in expression") {
			b.Fatal(got)
		}
		diagnostics = append(diagnostics, time.Since(began))
	}
	b.ReportMetric(p95(answers), "p95-completion-ms")
	b.ReportMetric(p95(diagnostics), "p95-diagnostics-ms")
}

func p95(all []time.Duration) float64 {
	slices.Sort(all)
	return float64(all[len(all)*95/100]) / float64(time.Millisecond)
}

// BenchmarkSymbols lists the blocks of the same file.
func BenchmarkSymbols(b *testing.B) {
	before, after := large()
	o := opening(newServer(Options{Kinds: allKinds()}).language)
	for b.Loop() {
		if n := len(all([]byte(before+after), o)); n != 3*112+1 {
			b.Fatal(n)
		}
	}
}
