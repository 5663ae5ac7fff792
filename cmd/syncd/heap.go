package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

// The collector usually lets a heap double. Where it runs many times a second, as
// while a large file is read, a fifth of the daemon's time goes into that; then a
// heap that is small may grow further, by busyPercent and up to busyHeap. What is at
// rest stays small.
const (
	restPercent = 100
	busyPercent = 150
	busyHeap    = 56 << 20
	// So many collections in a row, each so soon after the last, tell that it is busy:
	// more than a start takes.
	busyCycles = 16
	busyCycle  = 500 * time.Millisecond
)

// heap sets how far the heap grows, each time that it has been collected.
type heap struct {
	percent int
	last    time.Time
	soon    int // collections in a row that came soon after the last
	sample  []metrics.Sample
	stopped atomic.Bool
}

// cycle is an object that nobody holds: it is found when the heap is collected.
type cycle struct{ _ *int }

// tendHeap begins to, and gives what ends it. An operator's own GOGC stands.
func tendHeap() (stop func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	h := &heap{percent: restPercent, last: time.Now(), sample: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}}
	h.await()
	return func() { h.stopped.Store(true) }
}

// await has collected be called at the end of the next collection.
func (h *heap) await() {
	runtime.AddCleanup(new(cycle), (*heap).collected, h)
}

func (h *heap) collected() {
	if h.stopped.Load() {
		return
	}
	metrics.Read(h.sample)
	now := time.Now()
	if h.soon++; now.Sub(h.last) > busyCycle {
		h.soon = 0
	}
	h.last = now
	if percent := growth(h.soon, h.sample[0].Value.Uint64()); percent != h.percent {
		h.percent = percent
		debug.SetGCPercent(percent)
	}
	h.await()
}

// growth is the percentage by which a heap with so much alive may grow, after so many
// collections that came soon.
func growth(soon int, live uint64) int {
	if soon < busyCycles || live == 0 {
		return restPercent
	}
	room := int(busyHeap*100/live) - 100
	return min(max(room/10*10, restPercent), busyPercent)
}
