package notify

import (
	"context"
	"time"
)

// statusEvery is how often the status line is made anew.
const statusEvery = 10 * time.Second

// Keep shows signs of life at half the time that the watchdog allows, each only
// when alive, given a quarter of that time, returns nil; and it keeps the status
// line up to date. It returns when ctx ends, or at once if there is nobody to tell.
func (m *Manager) Keep(ctx context.Context, alive func(context.Context) error, status func(context.Context) string) {
	if !m.Present() {
		return
	}
	var beat <-chan time.Time
	if m.watchdog > 0 {
		t := time.NewTicker(m.watchdog / 2)
		defer t.Stop()
		beat = t.C
		m.beat(ctx, alive)
	}
	// The status may take its time; a sign of life may not wait for it.
	done := make(chan struct{})
	defer func() { <-done }()
	go func() {
		defer close(done)
		m.keepStatus(ctx, status)
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat:
			m.beat(ctx, alive)
		}
	}
}

func (m *Manager) beat(ctx context.Context, alive func(context.Context) error) {
	check, cancel := context.WithTimeout(ctx, m.watchdog/4)
	defer cancel()
	if err := alive(check); err == nil {
		m.Alive()
	} else if ctx.Err() == nil {
		m.log.Error("no sign of life for the watchdog: it restarts the daemon if this stays so", "error", err, "watchdog", m.watchdog)
	}
}

func (m *Manager) keepStatus(ctx context.Context, status func(context.Context) string) {
	t := time.NewTicker(statusEvery)
	defer t.Stop()
	told := ""
	for {
		if s := status(ctx); s != told && ctx.Err() == nil {
			m.Status(s)
			told = s
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}
