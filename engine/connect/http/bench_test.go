package http

import (
	"context"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/syncd/syncd/engine/component"
)

// BenchmarkStream reads an answer of 8 MiB, as it is and from gzip, beside what net/http
// makes of the latter.
func BenchmarkStream(b *testing.B) {
	text := strings.Repeat(`{"id":1042,"email":"ana@example.com","total":128.5}`+"\n", 8<<20/52)
	packed := gzipped(text)
	srv := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if r.URL.Path == "/plain" {
			io.WriteString(w, text)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(packed)
	}))
	defer srv.Close()
	c, err := Kind.Open(component.Env{}, &Config{BaseURL: srv.URL})
	if err != nil {
		b.Fatal(err)
	}
	defer c.(*Client).Close()
	for _, path := range []string{"/plain", "/gzip"} {
		b.Run(path[1:], func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				s, err := c.(*Client).Stream(context.Background(), get(c.(*Client), path), 1<<30)
				if err != nil {
					b.Fatal(err)
				}
				io.Copy(io.Discard, s.Body)
				s.Body.Close()
			}
		})
	}
	b.Run("gzip by net/http", func(b *testing.B) {
		plain := &nethttp.Client{Transport: &nethttp.Transport{}}
		defer plain.CloseIdleConnections()
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			resp, err := plain.Get(srv.URL + "/gzip")
			if err != nil {
				b.Fatal(err)
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	})
}
