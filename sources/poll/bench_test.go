package poll

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/syncd/syncd/engine/schedule"
)

// BenchmarkPages is what a record costs on its way from an API of 100 pages, each of
// 100 records, to an intake that costs nothing; the API's share is in it.
func BenchmarkPages(b *testing.B) {
	for name, configure := range map[string]func(*Config){
		"token": byToken,
		"cursor": func(c *Config) {
			byToken(c)
			c.Cursor = &Cursor{Next: x("record.at"), From: "record", Keep: "max"}
		},
		"whole": func(c *Config) {
			byToken(c)
			c.Paginate.Token.Stop = x("len(response.body.data) == 0")
		},
	} {
		b.Run(name, func(b *testing.B) {
			const pages, perPage = 100, 100
			texts := map[string][]byte{}
			for p := range pages {
				w, after := httptest.NewRecorder(), strconv.Itoa(p*perPage)
				tokens(pages*perPage, perPage)(w, httptest.NewRequest("GET", "/?after="+after, nil))
				texts[after] = w.Body.Bytes()
			}
			api := serve(b, func(w http.ResponseWriter, r *http.Request) { w.Write(texts[r.FormValue("after")]) })
			texts[""] = texts["0"]
			p := newPoller(b, api.URL, newMemory(false), configure)
			b.ReportAllocs()
			for b.Loop() {
				if err := p.source.run(b.Context(), &counter{}, schedule.Due{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(pages*perPage), "ns/record")
		})
	}
}
