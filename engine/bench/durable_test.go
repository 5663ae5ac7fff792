package bench

import (
	"fmt"
	"testing"
	"time"
)

const (
	warmUp   = time.Second
	loadFor  = 3 * time.Second
	drainFor = time.Minute // at most
	runRoom  = 1 << 20     // orders of one run, generously
)

// BenchmarkDurable is the daemon's main job: an order is kept on disk, answered,
// mapped and posted on. "sustained" counts until the sink has the last one, so that
// what is only put off counts against it. Beside it runs the reference journal.
func BenchmarkDurable(b *testing.B) {
	for _, conns := range []int{1, 16, 64, 256} {
		b.Run(fmt.Sprintf("conns=%d", conns), func(b *testing.B) {
			for b.Loop() {
				our, their := alternate(b,
					func() figures { return durable(b, conns, startOurs) },
					func() figures { return durable(b, conns, startJournal) })
				report(b, our)
				b.ReportMetric(median(our, sustained), "sustained/s")
				b.ReportMetric(median(their, accepted), "journal-accepted/s")
				b.ReportMetric(median(their, sustained), "journal-sustained/s")
				b.ReportMetric(ratio(our, their, sustained), "sustained/journal")
			}
		})
	}
}

func startOurs(b *testing.B, sink string) *process {
	return startDaemon(b, options{sinks: []string{sink}, retention: "72h"})
}

func startJournal(b *testing.B, sink string) *process { return startReference(b, "journal", sink) }

// durable loads a peer of its own and waits until the sink has all that was accepted.
func durable(b *testing.B, conns int, start func(*testing.B, string) *process) figures {
	s := newSink(b, runRoom)
	defer s.close()
	p := start(b, s.addr())
	defer p.stop(b)
	p.await(b, 0, p.path)
	warm := load{addr: p.addr, path: p.path, conns: min(conns, 16), first: 1, lasts: warmUp}.run(b)
	s.await(b, 1+warm.accepted, drainFor)

	before := p.usage(b)
	a := load{addr: p.addr, path: p.path, conns: conns, first: warm.next, lasts: loadFor}.run(b)
	s.await(b, 1+warm.accepted+a.accepted, drainFor)
	if a.refused > 0 {
		b.Errorf("%d orders were refused", a.refused)
	}
	f := a.figures(before, p.usage(b))
	f.sustained = float64(a.accepted) / s.lastAt().Sub(a.began).Seconds()
	return f
}

// figures of a load, between whose begin and end the peer took what lies between
// before and after.
func (a answers) figures(before, after usage) figures {
	n := float64(a.accepted)
	return figures{
		accepted: a.rate(), p50: a.quantile(0.5), p99: a.quantile(0.99),
		cpu:     milliseconds(after.cpu-before.cpu) / n * 1000,
		peak:    after.peak,
		flushes: (after.flushes - before.flushes) / n,
	}
}

// BenchmarkAccept is accepting alone: the only sink answers 503 all the time, so that
// its lane stops and all processors are there for what comes in. Beside it runs
// the reference check, which keeps nothing.
func BenchmarkAccept(b *testing.B) {
	for _, conns := range []int{1, 16, 64, 256} {
		b.Run(fmt.Sprintf("conns=%d", conns), func(b *testing.B) {
			for b.Loop() {
				our, their := alternate(b,
					func() figures { return accept(b, conns, startOurs) },
					func() figures { return accept(b, conns, startCheck) })
				report(b, our)
				b.ReportMetric(median(their, accepted), "check-accepted/s")
				b.ReportMetric(ratio(our, their, accepted), "accepted/check")
			}
		})
	}
}

func startCheck(b *testing.B, sink string) *process { return startReference(b, "check", sink) }

// accept loads a peer of its own whose sink refuses.
func accept(b *testing.B, conns int, start func(*testing.B, string) *process) figures {
	s := newSink(b, 1)
	defer s.close()
	s.refusing.Store(true)
	p := start(b, s.addr())
	defer p.kill()
	p.await(b, 0, p.path)
	warm := load{addr: p.addr, path: p.path, conns: min(conns, 16), first: 1, lasts: warmUp}.run(b)

	before := p.usage(b)
	a := load{addr: p.addr, path: p.path, conns: conns, first: warm.next, lasts: loadFor}.run(b)
	if a.refused > 0 {
		b.Errorf("%d orders were refused", a.refused)
	}
	return a.figures(before, p.usage(b))
}
