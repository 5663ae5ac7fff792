package watch

import "time"

// burst tells when a series of changes is over: some time after the last one, at
// the latest some time after the first.
type burst struct {
	quiet, bound time.Duration
	began        time.Time // zero: no series
	timer        *time.Timer
}

func newBurst(quiet, bound time.Duration) *burst {
	b := &burst{quiet: quiet, bound: bound, timer: time.NewTimer(bound)}
	b.end()
	return b
}

// note adds a change, now.
func (b *burst) note() {
	now := time.Now()
	if b.began.IsZero() {
		b.began = now
	}
	if left := b.began.Add(b.bound).Sub(now); left > 0 { // else it is over already
		b.timer.Reset(min(b.quiet, left))
	}
}

// over gives a value when the series is over; end must follow.
func (b *burst) over() <-chan time.Time { return b.timer.C }

func (b *burst) end() {
	b.timer.Stop()
	b.began = time.Time{}
}
