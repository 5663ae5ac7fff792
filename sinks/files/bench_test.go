package files

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/records"
)

// BenchmarkDeliver is the cost of a record in batches of the largest size, each
// with its sync; benchmarked on the disk of the temporary directory.
func BenchmarkDeliver(b *testing.B) {
	body := map[string]any{"order_id": int64(1042), "email": "ana@example.com", "total": 128.5, "country": "CL", "note": "leave at the door"}
	ds := make([]component.Delivery, maxBatch)
	for i := range ds {
		ds[i] = component.Delivery{ID: "d", Event: &component.Event{ID: "e", Body: body}}
	}
	formats := map[string]records.Format{"ndjson": {}, "csv": {CSV: &records.CSV{Delimiter: ",", Table: records.Table{Quote: `"`, Header: true}}}}
	for name, format := range formats {
		for _, path := range []string{"/a", "/{{ body.country }}"} {
			b.Run(name+path[:2], func(b *testing.B) {
				tpl, err := expr.CompileTemplate(expr.Source{Text: b.TempDir() + path}, expr.FileName, &expr.Scope{Names: []string{"body"}})
				if err != nil {
					b.Fatal(err)
				}
				made, err := Kind.Open(component.Env{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now, State: noState{}}, &Config{Path: tpl, Format: format})
				if err != nil {
					b.Fatal(err)
				}
				s := made.(*sink)
				b.ReportAllocs()
				for n := 0; b.Loop(); n++ {
					if n%maxBatch == 0 {
						if r := s.Deliver(context.Background(), ds); r.Errors[0] != nil {
							b.Fatal(r.Errors[0])
						}
						s.Settled()
					}
				}
				if err := s.Close(); err != nil {
					b.Error(err)
				}
			})
		}
	}
}

type noState struct{}

func (noState) Get(context.Context, string, any) (bool, error) { return false, nil }

var _ component.State = noState{}
