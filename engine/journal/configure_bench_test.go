package journal_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/journal"
)

// many are 200 flows of a source each, with two sinks.
func many() (flows []journal.Flow) {
	for n := range 200 {
		flows = append(flows, journal.Flow{Name: fmt.Sprint("flow.", n), Sources: []string{fmt.Sprint("source.webhook.", n)},
			Sinks: []string{fmt.Sprint("sink.http.", n), "sink.files.all"}, Backlog: 1 << 30})
	}
	flows[0].Sources = append(flows[0].Sources, "shop")
	return flows
}

// megabyte is a configuration of 50 files that say little twice.
func megabyte() []journal.ConfigFile {
	files := make([]journal.ConfigFile, 50)
	bodies := orders(1000)
	for i := range files {
		files[i].Name = fmt.Sprintf("/etc/syncd/%d.hcl", i)
		for n := range 20 {
			files[i].Text += string(bodies[(i*20+n)%len(bodies)]) + "\n"
		}
	}
	return files
}

// BenchmarkConfigure tells what a reload costs the journal when no flow has
// changed: with a history or without, and with a new generation of a megabyte of
// which one file is new.
func BenchmarkConfigure(b *testing.B) {
	for _, c := range []struct {
		name    string
		history int
		record  bool
	}{{"young", 0, false}, {"old", 200_000, false}, {"young, recorded", 0, true}, {"old, recorded", 200_000, true}} {
		b.Run(c.name, func(b *testing.B) {
			j := openBench(b, journal.Options{Retention: time.Hour})
			ctx := context.Background()
			top := journal.Topology{Flows: many(), Generation: 1}
			if _, err := j.Configure(ctx, top); err != nil {
				b.Fatal(err)
			}
			fillBench(b, j, c.history)
			files := megabyte()
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				top.Generation++
				if c.record {
					files[rand.IntN(len(files))].Text = fmt.Sprint("# ", top.Generation, string(order(rand.New(rand.NewPCG(1, uint64(top.Generation))))))
					top.Record = &journal.Generation{Origin: "reload", Files: files}
				}
				if _, err := j.Configure(ctx, top); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			s, err := j.Stats(ctx)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(s.Bytes)/(1<<20), "MiB")
		})
	}
}

// BenchmarkConfigureUnderLoad tells what the same costs beside 64 submitters.
func BenchmarkConfigureUnderLoad(b *testing.B) {
	j := openBench(b, journal.Options{Retention: time.Hour})
	top := journal.Topology{Flows: many(), Generation: 1}
	if _, err := j.Configure(context.Background(), top); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	var appended atomic.Int64
	for n := range 64 {
		wg.Go(func() {
			for body := orders(1)[0]; ctx.Err() == nil; appended.Add(1) {
				now := time.Now()
				_, err := j.Append(context.Background(), journal.Append{Source: fmt.Sprint("source.webhook.", n), Records: []journal.Record{{
					ID: journal.NewID(now), Time: now, Payload: journal.Payload{ContentType: "application/json", Raw: body}}}})
				if err != nil {
					b.Error(err)
				}
			}
		})
	}
	b.ResetTimer()
	before := appended.Load()
	for range b.N {
		top.Generation++
		if _, err := j.Configure(context.Background(), top); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(appended.Load()-before)/b.Elapsed().Seconds(), "events/s")
	cancel()
	wg.Wait()
}
