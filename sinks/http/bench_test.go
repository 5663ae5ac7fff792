package http

import (
	"bytes"
	"context"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"testing"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/format"
)

// BenchmarkDeliver is the cost of a delivery of about 1 KiB, the server's share
// included, beside that of a plain client that sends the same.
func BenchmarkDeliver(b *testing.B) {
	srv := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(nethttp.StatusNoContent)
	}))
	defer srv.Close()
	body := map[string]any{"order_id": int64(1042), "email": "ana@example.com", "total": 128.5, "note": string(bytes.Repeat([]byte("x"), 900))}
	raw, err := format.AppendJSON(nil, body)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("sink", func(b *testing.B) {
		s := newSink(b, srv.URL, nil, nil)
		b.ReportAllocs()
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				r := s.Deliver(context.Background(), []component.Delivery{delivery("0198f3a2-7c1e-7000", body)})
				if r.Errors != nil {
					b.Error(r.Errors[0])
				}
			}
		})
	})
	b.Run("http.Client.Post", func(b *testing.B) {
		client := &nethttp.Client{Transport: &nethttp.Transport{MaxIdleConnsPerHost: 64}}
		defer client.CloseIdleConnections()
		b.ReportAllocs()
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				resp, err := client.Post(srv.URL, "application/json", bytes.NewReader(raw))
				if err != nil {
					b.Error(err)
					continue
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		})
	})
}
