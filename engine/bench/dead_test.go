package bench

import (
	"testing"
	"time"

	"github.com/syncd/syncd/engine/admin"
)

const (
	deadLetters = 10_000
	reviveAll   = 5 * time.Minute // at most
)

// BenchmarkDead has a sink refuse 10,000 orders for good, and retries the dead letters
// when it does so no more, as `syncd dead retry --all` does: from the request until the
// last has been delivered.
func BenchmarkDead(b *testing.B) {
	for b.Loop() {
		var died, retried, cpu []float64
		for range pairs {
			f := retryAll(b)
			died, retried, cpu = append(died, f.died), append(retried, f.retried), append(cpu, f.cpu)
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(middle(died), "died/s")
		b.ReportMetric(middle(retried), "retried/s")
		b.ReportMetric(middle(cpu), "cpu-ms/1k")
	}
}

// revival is what was seen of dead letters: how many a second died and were
// delivered in the end, and the processor time that 1,000 of the latter took, in
// milliseconds.
type revival struct{ died, retried, cpu float64 }

func retryAll(b *testing.B) revival {
	s := newSink(b, deadLetters)
	defer s.close()
	s.refusal = unfit
	s.refusing.Store(true)
	p := startDaemon(b, options{sinks: []string{s.addr()}, retention: "1h"})
	defer p.stop(b)
	p.await(b, 0, p.path)
	a := load{addr: p.addr, path: p.path, conns: 64, first: 1, count: deadLetters - 1}.run(b)
	p.awaitDead(b, deadLetters)
	f := revival{died: deadLetters / time.Since(a.began).Seconds()}

	s.refusing.Store(false)
	client, err := admin.Dial(b.Context(), admin.Places("", p.state()))
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	before, began := p.usage(b), time.Now()
	outcome, err := client.Retry(b.Context(), admin.Selection{All: true})
	if err != nil || outcome.Done != deadLetters {
		b.Fatalf("%d of %d are retried (%v): %v", outcome.Done, deadLetters, err, outcome.Failed)
	}
	s.await(b, deadLetters, reviveAll)
	f.retried = deadLetters / s.lastAt().Sub(began).Seconds()
	f.cpu = milliseconds(p.usage(b).cpu-before.cpu) / deadLetters * 1000
	p.awaitDead(b, 0)
	if n := s.repeats.Load(); n > 0 {
		b.Errorf("%d were delivered twice", n)
	}
	b.Logf("%.0f died a second, %.0f were retried, %.1f ms of processor time for 1,000", f.died, f.retried, f.cpu)
	return f
}

// awaitDead returns when there are so many dead letters.
func (p *process) awaitDead(b *testing.B, want int64) {
	b.Helper()
	for end := time.Now().Add(reviveAll); ; time.Sleep(20 * time.Millisecond) {
		s, err := p.status(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		var n int64
		for _, l := range s.Lanes {
			n += l.Dead
		}
		if n == want {
			return
		}
		if time.Now().After(end) {
			b.Fatalf("%d dead letters, want %d; the daemon printed:\n%s", n, want, p.printed())
		}
	}
}
