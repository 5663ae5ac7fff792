package http

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// leastProgress is what an answer must bring within the timeout: less is a server that
// hangs, or means to hold us.
const leastProgress = 1 << 10

// patience ends a request whose server takes too long. Only waiting for the server
// counts, not the time in between.
type patience struct {
	timeout time.Duration
	left    time.Duration
	got     int // since left was full
	since   time.Time
	hurried bool
	timer   *time.Timer
	gone    atomic.Bool
}

func newPatience(timeout time.Duration, cancel context.CancelCauseFunc) *patience {
	p := &patience{timeout: timeout, left: timeout}
	p.timer = time.AfterFunc(timeout, func() {
		p.gone.Store(true)
		cancel(context.DeadlineExceeded)
	})
	p.timer.Stop()
	return p
}

func (p *patience) begin() {
	p.since = time.Now()
	p.timer.Reset(p.left)
}

func (p *patience) pause() {
	p.timer.Stop()
	p.left = max(p.left-time.Since(p.since), 0)
}

// progress notes that n bytes came.
func (p *patience) progress(n int) {
	if p.got += n; p.got >= leastProgress && !p.hurried {
		p.got, p.left = 0, p.timeout
	}
}

// hurry waits no longer than it takes to see what is there already.
func (p *patience) hurry() {
	p.hurried, p.left = true, min(p.left, 50*time.Millisecond)
}

// lost is the error of a request that was ended, nil for any other.
func (p *patience) lost() error {
	if !p.gone.Load() {
		return nil
	}
	return stalledError{p.timeout}
}

type stalledError struct{ timeout time.Duration }

func (e stalledError) Error() string {
	return fmt.Sprintf("the server kept us waiting for %s", e.timeout)
}

func (e stalledError) Timeout() bool { return true }

// watched is a body whose reader has patience.
type watched struct {
	from     io.Reader
	patience *patience
}

func (w *watched) Read(p []byte) (int, error) {
	w.patience.begin()
	n, err := w.from.Read(p)
	w.patience.pause()
	w.patience.progress(n)
	return n, err
}
