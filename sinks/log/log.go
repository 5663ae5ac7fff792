// Package log is the sink that writes each event to the daemon's own log: for a
// first look, and for finding out what a flow makes of its events.
package log

import (
	"context"
	_ "embed" // the page
	"log/slog"
	"strings"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/format"
)

//go:embed page.md
var page string

// Kind declares sink "log".
var Kind = component.SinkKind("log", "Writes each event to the daemon's log.", func() *Config { return &Config{} }, open).WithPage(page)

// Config is a sink "log" block; it has no attributes of its own.
type Config struct{}

// longest body that is logged; a log line is for reading.
const longest = 8 << 10

type sink struct{ log *slog.Logger }

var _ component.Sink = (*sink)(nil)

func open(env component.Env, _ *Config) (component.Sink, error) { return &sink{env.Log}, nil }

// Deliver logs a line for each event, with the body as JSON.
func (s *sink) Deliver(ctx context.Context, ds []component.Delivery) component.Result {
	errs := make([]error, len(ds))
	for i, d := range ds {
		body, err := format.AppendJSON(nil, d.Event.Body)
		if err != nil {
			errs[i] = component.Permanent(err)
			continue
		}
		s.log.LogAttrs(ctx, slog.LevelInfo, "event",
			slog.String("event", d.Event.ID), slog.String("source", d.Event.Source), slog.String("body", bounded(body)))
	}
	return component.Result{Errors: errs}
}

func bounded(body []byte) string {
	if len(body) <= longest {
		return string(body)
	}
	return strings.ToValidUTF8(string(body[:longest]), "") + "…"
}
