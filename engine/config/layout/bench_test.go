package layout

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkFormat lays out a file of 2,000 lines, as an editor asks for it.
func BenchmarkFormat(b *testing.B) {
	var s strings.Builder
	for i := range 200 {
		fmt.Fprintf(&s, "# Number %d\nflow \"f%d\" {\n  from = [source.webhook.a, source.webhook.b]\n  filter { when = \"body.total > %d\" }\n  map {\n    id    = \"body.id\" # its id\n    total = \"body.total\"\n  }\n  to = sink.log.x\n}\n", i, i, i)
	}
	b.SetBytes(int64(s.Len()))
	for b.Loop() {
		Format([]byte(s.String()))
	}
}
