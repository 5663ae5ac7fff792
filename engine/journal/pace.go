package journal

import (
	"context"
	"slices"
	"sync/atomic"
	"time"
)

const (
	// bulkRecords in one append are part of a great many: nobody waits for each.
	bulkRecords = 500
	// longestPace is how long such an append lets a lane catch up, at most: far longer
	// than one that works needs for as many events, even on a machine with much else to do.
	longestPace = 250 * time.Millisecond
	// closeBehind is how far behind a lane may be, in events, for anybody to wait for it:
	// one to a slow sink soon is not, and then holds up nothing.
	closeBehind = 50_000
)

// pace is how far the lanes of a source have come, for those who append much.
type pace struct {
	lows  atomic.Pointer[[]Position] // of the lanes that run and are behind
	stood atomic.Pointer[[]Position] // those at the end of a wait that was in vain
	moved chan struct{}              // has something when lows may have changed
}

// set publishes how far the source's lanes have come. Only the writer calls it.
func (p *pace) set(s *source) {
	lows := []Position{}
	for _, d := range s.feeds {
		for _, t := range d.tracks {
			if t.active && t.sink != "" && t.low < s.head {
				lows = append(lows, t.low)
			}
		}
	}
	p.lows.Store(&lows)
	select {
	case p.moved <- struct{}{}:
	default:
	}
}

// lags tells whether it is worth to wait until all lanes have done the events up to
// last. One that stands where it stood after the last wait may have stopped.
func (p *pace) lags(last Position) bool {
	lows, stood := p.lows.Load(), p.stood.Load()
	return lows != nil && slices.ContainsFunc(*lows, func(low Position) bool {
		return low < last && low+closeBehind >= last && (stood == nil || !slices.Contains(*stood, low))
	})
}

// keepPace has one of many appends wait while it would push frames out of memory that
// a lane is about to read, which would have to fetch them from disk then.
func (j *SQLite) keepPace(ctx context.Context, p *pace, source string, records []Record) {
	if len(records) < bulkRecords {
		return
	}
	last := j.recent.pushedOut(source, room(records, nil)+overhead(records))
	if !p.lags(last) {
		return
	}
	enough := time.NewTimer(longestPace)
	defer enough.Stop()
	for p.lags(last) {
		select {
		case <-p.moved:
		case <-enough.C:
			p.stood.Store(p.lows.Load())
			return
		case <-ctx.Done():
			return
		}
	}
}
