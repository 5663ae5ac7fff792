package bench

import (
	"context"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/syncd/syncd/engine/admin"
)

const (
	backlog     = 1_000_000
	backlogRoom = backlog + 1<<16
	catchUp     = 15 * time.Minute // at most
	settled     = 5 * time.Second  // how long settled orders are kept
)

// BenchmarkBacklog brings a million orders in while one of two sinks is down, and lets
// that sink come back. Settled orders are kept for seconds only, so that catching up
// means purging as well: meanwhile one sender goes on, slowly, and its worst wait
// tells how long the daemon's writer was busy with other things.
func BenchmarkBacklog(b *testing.B) {
	for b.Loop() {
		alone, journal := alternate(b,
			func() figures { return durable(b, 64, startOurs) },
			func() figures { return durable(b, 64, startJournal) })
		o := newOutage(b)
		o.fill(b)
		o.recover(b)
		o.close(b)

		full, reference := median(alone, sustained), median(journal, sustained)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(o.accepted, "accepted/s")
		b.ReportMetric(o.healthy, "healthy/s")
		b.ReportMetric(o.healthy/full, "healthy/alone")
		b.ReportMetric(float64(o.exceptions), "exceptions")
		b.ReportMetric(o.drain, "drain/s")
		b.ReportMetric(o.drain/reference, "drain/journal")
		b.ReportMetric(o.peak, "peak-MiB")
		b.ReportMetric(o.p99, "purging-p99-ms")
		b.ReportMetric(o.worst, "purging-worst-ms")
	}
}

// outage is a daemon with two sinks, and what was seen of it.
type outage struct {
	up, down *sink
	daemon   *process

	accepted   float64 // a second, while the sink was down
	healthy    float64 // the other sink's orders a second, until it had all
	exceptions int64   // at the most
	drain      float64 // orders a second from the first to the last, once the sink was back
	peak       float64 // MiB
	p99, worst float64 // milliseconds until an answer, while draining and purging
}

func newOutage(b *testing.B) *outage {
	o := &outage{up: newSink(b, backlogRoom), down: newSink(b, backlogRoom)}
	o.down.refusing.Store(true)
	o.daemon = startDaemon(b, options{sinks: []string{o.up.addr(), o.down.addr()}, retention: settled.String()})
	o.daemon.await(b, 0, o.daemon.path)
	return o
}

func (o *outage) close(b *testing.B) {
	o.daemon.stop(b)
	o.up.close()
	o.down.close()
}

// fill brings the orders in, and waits until the healthy sink has them.
func (o *outage) fill(b *testing.B) {
	ctx, cancel := context.WithCancel(b.Context())
	most := make(chan int64, 1)
	go func() { most <- o.daemon.mostExceptions(ctx, "sink.http.out1") }()
	a := load{addr: o.daemon.addr, path: o.daemon.path, conns: 64, first: 1, count: backlog - 1}.run(b)
	o.up.await(b, backlog, catchUp)
	o.accepted = a.rate()
	o.healthy = float64(a.accepted) / o.up.lastAt().Sub(a.began).Seconds()
	cancel()
	o.exceptions = <-most
	b.Logf("filled at %.0f/s, p99 %.1f ms; healthy sink %.0f/s; journal %.0f MiB; peak %.1f MiB",
		o.accepted, a.quantile(0.99), o.healthy, o.daemon.journal(b), o.daemon.usage(b).peak)
	if a.refused > 0 || o.down.orders.Load() > 0 {
		b.Errorf("%d orders were refused, %d came to the sink that is down", a.refused, o.down.orders.Load())
	}
}

// recover lets the sink come back, and waits until it has all.
func (o *outage) recover(b *testing.B) {
	stop := make(chan struct{})
	slow := load{addr: o.daemon.addr, path: o.daemon.path, conns: 1, first: backlog, pause: 10 * time.Millisecond, stop: stop}
	var (
		a       answers
		sending errgroup.Group
	)
	sending.Go(func() (err error) { a, err = slow.try(); return err })
	before := o.daemon.usage(b)
	o.down.refusing.Store(false)
	o.down.await(b, backlog, catchUp)
	o.drain = backlog / time.Since(o.down.firstAt()).Seconds()
	after := o.daemon.usage(b)
	close(stop)
	if err := sending.Wait(); err != nil {
		b.Fatal(err)
	}
	o.p99, o.worst, o.peak = a.quantile(0.99), a.quantile(1), after.peak
	b.Logf("drained at %.0f/s with %.0f ms of processor time for 1,000; %d slow orders, p50 %.1f ms; journal %.0f MiB; repeats %d",
		o.drain, milliseconds(after.cpu-before.cpu)*1000/backlog, a.accepted, a.quantile(0.5), o.daemon.journal(b), o.down.repeats.Load())
}

// mostExceptions asks now and then, until ctx ends, how many deliveries of a lane have
// failed and wait or are dead.
func (p *process) mostExceptions(ctx context.Context, sink string) (most int64) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if s, err := p.status(ctx); err == nil {
			for _, l := range s.Lanes {
				if l.Sink == sink {
					most = max(most, l.Waiting+l.Dead)
				}
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return most
		}
	}
}

// journal is the size of the daemon's journal in MiB.
func (p *process) journal(b *testing.B) float64 {
	s, err := p.status(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return float64(s.Journal.Bytes) / (1 << 20)
}

// status asks the daemon how it stands.
func (p *process) status(ctx context.Context) (admin.Status, error) {
	c, err := admin.Dial(ctx, admin.Places("", p.state()))
	if err != nil {
		return admin.Status{}, err
	}
	defer c.Close()
	return c.Status(ctx)
}
