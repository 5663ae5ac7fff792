package bench

import (
	"slices"
	"testing"
)

// pairs is how often the daemon and its reference run, in turn.
const pairs = 5

// figures of one run.
type figures struct {
	accepted  float64 // a second
	sustained float64 // a second, until the last one has come to the sink
	p50, p99  float64 // milliseconds until the answer
	cpu       float64 // milliseconds of processor time for 1,000 orders
	peak      float64 // MiB
	flushes   float64 // of the disk, for one order
}

// alternate runs both, in turn and each first as often as the other, but for one.
func alternate(b *testing.B, ours, theirs func() figures) (our, their []figures) {
	for i := range pairs {
		if i%2 == 0 {
			our, their = append(our, ours()), append(their, theirs())
		} else {
			their, our = append(their, theirs()), append(our, ours())
		}
		o, t := our[i], their[i]
		b.Logf("pair %d: syncd accepted %.0f/s sustained %.0f/s p99 %.1f ms; reference accepted %.0f/s sustained %.0f/s p99 %.1f ms",
			i+1, o.accepted, o.sustained, o.p99, t.accepted, t.sustained, t.p99)
	}
	return our, their
}

// median of what value takes from each run.
func median(runs []figures, value func(figures) float64) float64 {
	all := make([]float64, len(runs))
	for i, f := range runs {
		all[i] = value(f)
	}
	return middle(all)
}

// ratio is the median of the pairs' own ratios.
func ratio(our, their []figures, value func(figures) float64) float64 {
	all := make([]float64, len(our))
	for i := range our {
		all[i] = value(our[i]) / value(their[i])
	}
	return middle(all)
}

// middle of a list that is not empty.
func middle(all []float64) float64 {
	s := slices.Sorted(slices.Values(all))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

func accepted(f figures) float64  { return f.accepted }
func sustained(f figures) float64 { return f.sustained }

// report prints the daemon's medians; the time of a whole benchmark says nothing.
func report(b *testing.B, our []figures) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(our, accepted), "accepted/s")
	b.ReportMetric(median(our, func(f figures) float64 { return f.p50 }), "p50-ms")
	b.ReportMetric(median(our, func(f figures) float64 { return f.p99 }), "p99-ms")
	b.ReportMetric(median(our, func(f figures) float64 { return f.cpu }), "cpu-ms/1k")
	b.ReportMetric(median(our, func(f figures) float64 { return f.peak }), "peak-MiB")
	if n := median(our, func(f figures) float64 { return f.flushes }); n > 0 {
		b.ReportMetric(n, "flushes/event")
	}
}
