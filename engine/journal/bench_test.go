package journal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/journal"
)

// order is about 1 KiB of JSON as a shop sends it, different each time.
func order(r *rand.Rand) []byte {
	word := func() string {
		b := make([]byte, 4+r.IntN(8))
		for i := range b {
			b[i] = byte('a' + r.IntN(26))
		}
		return string(b)
	}
	type item struct {
		SKU      string  `json:"sku"`
		Name     string  `json:"name"`
		Quantity int     `json:"quantity"`
		Price    float64 `json:"price"`
	}
	o := map[string]any{
		"id": r.Uint64(), "status": "paid", "currency": "CLP", "email": word() + "@" + word() + ".example", "total": r.Float64() * 1e5,
		"created_at": time.Unix(int64(r.IntN(2e9)), 0).UTC().Format(time.RFC3339),
		"address":    map[string]string{"street": word() + " " + word(), "city": word(), "zip": fmt.Sprint(r.IntN(1e7)), "country": "CL"},
	}
	var items []item
	for range 9 {
		items = append(items, item{fmt.Sprintf("%08X", r.Uint32()), word() + " " + word(), r.IntN(9), r.Float64() * 1000})
	}
	o["items"] = items
	b, _ := json.Marshal(o)
	return b
}

func orders(n int) [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	list := make([][]byte, n)
	for i := range list {
		list[i] = order(r)
	}
	return list
}

func openBench(b *testing.B, o journal.Options) *journal.SQLite {
	b.Helper()
	o.Ballast = -1
	j, err := journal.Open(b.TempDir(), o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { j.Close() })
	return j
}

func shopFlow(sinks ...string) journal.Topology {
	return journal.Topology{Flows: []journal.Flow{{Name: "orders", Sources: []string{"shop"}, Sinks: sinks}}}
}

// share runs b.N operations over so many goroutines.
func share(b *testing.B, goroutines int, op func(n int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range goroutines {
		wg.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				op(int(n))
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkAppend(b *testing.B) {
	bodies := orders(4096)
	meta := json.RawMessage(`{"header":{"content-type":"application/json","user-agent":"shop/1.0"},"method":"POST","path":"/hooks/orders","remote_ip":"203.0.113.7"}`)
	for _, submitters := range []int{1, 16, 64, 256} {
		b.Run(fmt.Sprint(submitters), func(b *testing.B) {
			var commits atomic.Int64
			j := openBench(b, journal.Options{Hooks: journal.Hooks{AfterCommit: func() error { commits.Add(1); return nil }}})
			if _, err := j.Configure(context.Background(), shopFlow("crm")); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			share(b, submitters, func(n int) {
				now := time.Now()
				_, err := j.Append(context.Background(), journal.Append{Source: "shop", Records: []journal.Record{{
					ID: journal.NewID(now), Time: now, Meta: meta,
					Payload: journal.Payload{ContentType: "application/json", Raw: bodies[n%len(bodies)]}}}})
				if err != nil {
					b.Error(err)
				}
			})
			b.ReportMetric(float64(commits.Load())/float64(b.N), "commits/event")
		})
	}
}

func BenchmarkAppendFrames(b *testing.B) {
	j := openBench(b, journal.Options{})
	if _, err := j.Configure(context.Background(), shopFlow("crm")); err != nil {
		b.Fatal(err)
	}
	names := []string{"id", "name", "city", "total", "paid"}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		now := time.Now()
		list := make([]journal.Record, 1000)
		values := make([]any, 5*len(list))
		for i := range list {
			v := values[5*i : 5*i+5]
			v[0], v[1], v[2], v[3], v[4] = int64(i), "customer", "Santiago", 12.5, true
			list[i] = journal.Record{ID: journal.NewID(now), Time: now, Payload: journal.Payload{Names: names, Values: v}}
		}
		if _, err := j.Append(context.Background(), journal.Append{Source: "shop", Records: list}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

func fillBench(b *testing.B, j *journal.SQLite, events int) {
	b.Helper()
	bodies := orders(4096)
	const each = 32
	for n := 0; n < events; n += each {
		now := time.Now()
		list := make([]journal.Record, min(each, events-n))
		for i := range list {
			list[i] = journal.Record{ID: journal.NewID(now), Time: now, Payload: journal.Payload{ContentType: "application/json", Raw: bodies[(n+i)%len(bodies)]}}
		}
		if _, err := j.Append(context.Background(), journal.Append{Source: "shop", Records: list}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSettle settles events eight at a time, as a flow of concurrency 8 does.
func BenchmarkSettle(b *testing.B) {
	j := openBench(b, journal.Options{})
	if _, err := j.Configure(context.Background(), shopFlow("crm")); err != nil {
		b.Fatal(err)
	}
	fillBench(b, j, b.N)
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += 8 {
		s := journal.Settlement{Lane: journal.Lane{Flow: "orders", Sink: "crm"}}
		for i := n; i < min(n+8, b.N); i++ {
			s.Outcomes = append(s.Outcomes, journal.Outcome{Source: "shop", Position: journal.Position(i + 1), Status: journal.Delivered, Attempts: 1, Took: time.Duration(i%5) * time.Millisecond})
		}
		if err := j.Settle(context.Background(), s); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkRead reads events back from the disk.
func BenchmarkRead(b *testing.B) {
	j := openBench(b, journal.Options{Retention: time.Hour})
	fillBench(b, j, b.N)
	b.ReportAllocs()
	b.ResetTimer()
	for after := journal.Position(0); after < journal.Position(b.N); {
		frames, err := j.Read(context.Background(), "shop", after, 1<<20)
		if err != nil || len(frames) == 0 {
			b.Fatal(len(frames), err)
		}
		after = frames[len(frames)-1].Last()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkPurge tells how long an append waits at worst while settled events go.
func BenchmarkPurge(b *testing.B) {
	for range b.N {
		dir := b.TempDir()
		j, err := journal.Open(dir, journal.Options{Ballast: -1, Retention: time.Hour})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := j.Configure(context.Background(), shopFlow("crm")); err != nil {
			b.Fatal(err)
		}
		const events = 100_000
		fillBench(b, j, events)
		for _, sink := range []string{"", "crm"} {
			for n := 0; n < events; n += 1000 {
				s := journal.Settlement{Lane: journal.Lane{Flow: "orders", Sink: sink}}
				for i := range 1000 {
					s.Outcomes = append(s.Outcomes, journal.Outcome{Source: "shop", Position: journal.Position(n + i + 1), Status: journal.Delivered})
				}
				if err := j.Settle(context.Background(), s); err != nil {
					b.Fatal(err)
				}
			}
		}
		if err := j.Close(); err != nil {
			b.Fatal(err)
		}
		if j, err = journal.Open(dir, journal.Options{Ballast: -1}); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(longestAppend(b, j).Milliseconds()), "ms-longest-append")
		j.Close()
	}
}

// longestAppend appends until the first frame kept is a new one.
func longestAppend(b *testing.B, j *journal.SQLite) (longest time.Duration) {
	b.Helper()
	body := orders(1)[0]
	for {
		began := time.Now()
		_, err := j.Append(context.Background(), journal.Append{Source: "shop", Records: []journal.Record{{
			ID: journal.NewID(began), Time: began, Payload: journal.Payload{ContentType: "application/json", Raw: body}}}})
		if err != nil {
			b.Fatal(err)
		}
		longest = max(longest, time.Since(began))
		frames, err := j.Read(context.Background(), "shop", 0, 1)
		if err != nil {
			b.Fatal(err)
		}
		if len(frames) == 0 || frames[0].First > 100_000 {
			return longest
		}
	}
}
