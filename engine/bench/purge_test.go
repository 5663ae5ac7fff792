package bench

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/journal"
)

const (
	purged      = 320_000 // events
	purgeBatch  = 64      // events of an append
	settleBatch = 6400
	purgeSource = "source.webhook.orders"
	kept        = time.Hour
)

// BenchmarkPurge lets a journal forget events while one sender goes on: what an append
// waits for beside its own sync is the writer's pause. The same sender alone, before,
// shows what the disk does by itself.
func BenchmarkPurge(b *testing.B) {
	for b.Loop() {
		var ahead atomic.Int64 // the clock's, in nanoseconds
		j, err := journal.Open(b.TempDir(), journal.Options{
			Now:       func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
			Retention: kept,
		})
		if err != nil {
			b.Fatal(err)
		}
		fillJournal(b, j)
		alone := appendUntil(b, j, passed(5*time.Second))
		ahead.Store(int64(2 * kept))
		began := time.Now()
		purging := appendUntil(b, j, func() bool { return oldest(b, j) > purged })
		took := time.Since(began)
		if err := j.Close(); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(purged/took.Seconds(), "purged/s")
		b.ReportMetric(milliseconds(alone[len(alone)*99/100]), "alone-p99-ms")
		b.ReportMetric(milliseconds(alone[len(alone)-1]), "alone-worst-ms")
		b.ReportMetric(milliseconds(purging[len(purging)*99/100]), "purging-p99-ms")
		b.ReportMetric(milliseconds(purging[len(purging)-1]), "purging-worst-ms")
	}
}

// fillJournal leaves settled events behind.
func fillJournal(b *testing.B, j journal.Journal) {
	lane := journal.Lane{Flow: "flow.orders", Sink: "sink.http.out"}
	topology := journal.Topology{Generation: 1, Flows: []journal.Flow{{
		Name: lane.Flow, Sources: []string{purgeSource}, Sinks: []string{lane.Sink}, Backlog: 1 << 40,
	}}}
	if _, err := j.Configure(b.Context(), topology); err != nil {
		b.Fatal(err)
	}
	for n := 0; n < purged; n += purgeBatch {
		appendOrders(b, j, n, purgeBatch)
	}
	for n := 0; n < purged; n += settleBatch {
		settle(b, j, lane, n, journal.Delivered)
		settle(b, j, journal.Lane{Flow: lane.Flow}, n, journal.Nothing)
	}
}

// settle settles a batch of events, from number first on, on the lane.
func settle(b *testing.B, j journal.Journal, lane journal.Lane, first int, status journal.Status) {
	s := journal.Settlement{Lane: lane}
	for n := range settleBatch {
		s.Outcomes = append(s.Outcomes, journal.Outcome{Source: purgeSource, Position: journal.Position(first + n + 1), Status: status, Attempts: 1})
	}
	if err := j.Settle(b.Context(), s); err != nil {
		b.Fatal(err)
	}
}

func appendOrders(b *testing.B, j journal.Journal, first, count int) {
	a := journal.Append{Source: purgeSource}
	for n := first; n < first+count; n++ {
		a.Records = append(a.Records, journal.Record{
			ID: journal.NewID(time.Now()), Time: time.Now(),
			Payload: journal.Payload{ContentType: "application/json", Raw: orders()[n%orderKind].body},
		})
	}
	if _, err := j.Append(b.Context(), a); err != nil {
		b.Fatal(err)
	}
}

// appendUntil appends an event every few milliseconds and gives the times that took, the
// longest last. It asks over whenever a hundred have been appended.
func appendUntil(b *testing.B, j journal.Journal, over func() bool) []time.Duration {
	var took []time.Duration
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for len(took)%100 != 0 || len(took) == 0 || !over() {
		<-tick.C
		began := time.Now()
		appendOrders(b, j, len(took), 1)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took
}

func passed(d time.Duration) func() bool {
	end := time.Now().Add(d)
	return func() bool { return time.Now().After(end) }
}

// oldest is the position of the first event that the journal still has.
func oldest(b *testing.B, j journal.Journal) journal.Position {
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	frames, err := j.Read(ctx, purgeSource, 0, 1)
	if err == nil && len(frames) == 0 {
		err = errors.New("the journal is empty")
	}
	if err != nil {
		b.Fatal(err)
	}
	return frames[0].First
}
