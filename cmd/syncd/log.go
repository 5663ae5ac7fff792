package main

import (
	"context"
	"io"
	"log/slog"
	"sync/atomic"

	"github.com/syncd/syncd/engine/config"
)

// daemonLog is a log that follows the configuration.
type daemonLog struct {
	*slog.Logger
	w       io.Writer
	current atomic.Pointer[slog.Handler]
}

func newLog(w io.Writer, c config.Log) *daemonLog {
	l := &daemonLog{w: w}
	l.set(c)
	l.Logger = slog.New(following{log: l})
	return l
}

// set makes the log what a log block says. Its values have been checked.
func (l *daemonLog) set(c config.Log) {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	opts := &slog.HandlerOptions{Level: levels[c.Level]}
	var h slog.Handler = slog.NewTextHandler(l.w, opts)
	if c.Format == "json" {
		h = slog.NewJSONHandler(l.w, opts)
	}
	l.current.Store(&h)
}

// following hands records to the log's current handler, with the attributes that it
// was given itself.
type following struct {
	log  *daemonLog
	with func(slog.Handler) slog.Handler // nil: nothing
}

func (f following) handler() slog.Handler {
	h := *f.log.current.Load()
	if f.with != nil {
		h = f.with(h)
	}
	return h
}

// Enabled implements slog.Handler.
func (f following) Enabled(ctx context.Context, l slog.Level) bool {
	return (*f.log.current.Load()).Enabled(ctx, l)
}

// Handle implements slog.Handler.
func (f following) Handle(ctx context.Context, r slog.Record) error {
	return f.handler().Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (f following) WithAttrs(attrs []slog.Attr) slog.Handler {
	return f.then(func(h slog.Handler) slog.Handler { return h.WithAttrs(attrs) })
}

// WithGroup implements slog.Handler.
func (f following) WithGroup(name string) slog.Handler {
	return f.then(func(h slog.Handler) slog.Handler { return h.WithGroup(name) })
}

func (f following) then(next func(slog.Handler) slog.Handler) slog.Handler {
	before := f.with
	if before == nil {
		return following{f.log, next}
	}
	return following{f.log, func(h slog.Handler) slog.Handler { return next(before(h)) }}
}
