package engine

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/plan"
)

// maxMistakes is how many mistakes of one configuration are logged.
const maxMistakes = 20

// failed notes that the files are not what runs, and says so.
func (e *engine) failed(out admin.Reload, diags config.Diagnostics) {
	s := &admin.Stale{Since: now(), Reason: out.Error, Diagnostics: out.Diagnostics, Attempts: 1}
	if before := e.stale.Load(); before != nil {
		s.Since, s.Attempts = before.Since, before.Attempts+1
	}
	e.stale.Store(s)
	e.log.Error("the configuration is not taken over; the old one goes on", "generation", out.Generation, "error", out.Error, "attempts", s.Attempts)
	e.logMistakes(diags, config.Error)
}

// logMistakes logs a line for each of diags that is of that severity; the status has
// all that there is to say of them.
func (e *engine) logMistakes(diags config.Diagnostics, of config.Severity) {
	level, message, left := slog.LevelError, "mistake in the configuration", maxMistakes
	if of != config.Error {
		level, message = slog.LevelWarn, "doubtful in the configuration"
	}
	for _, d := range diags {
		if d.Severity != of {
			continue
		}
		if left--; left < 0 {
			e.log.Log(context.Background(), level, "there is more; syncd validate shows all")
			return
		}
		detail, _, _ := strings.Cut(d.Detail, "\n")
		e.log.Log(context.Background(), level, message, "place", place(d), "summary", d.Summary, "detail", detail)
	}
}

// logChanges logs a line for each component that does not just go on.
func (e *engine) logChanges(p *plan.Plan) {
	for _, c := range p.Changes {
		if c.Action == plan.Keep {
			continue
		}
		args := []any{"component", c.Address, "reason", strings.Join(c.Reasons, ", ")}
		if c.State != "" {
			args = append(args, "state", c.State)
		}
		e.log.Info("component "+string(c.Action), args...)
	}
}

// place is where d is: "/etc/syncd/orders.hcl:14:20"; "" if it is nowhere.
func place(d config.Diagnostic) string {
	if d.Range.File == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d:%d", d.Range.File, d.Range.Start.Line, d.Range.Start.Column)
}

// headline is what is wrong with a configuration, in a line.
func headline(diags config.Diagnostics) string {
	errs, _ := diags.Count()
	for _, d := range diags {
		if d.Severity != config.Error {
			continue
		}
		text := d.Summary
		if at := place(d); at != "" {
			text = at + ": " + text
		} else if d.Detail != "" { // which says of what
			text += ": " + strings.Join(strings.Fields(d.Detail), " ")
		}
		if errs > 1 {
			text += fmt.Sprintf(" (and %d more)", errs-1)
		}
		return text
	}
	return ""
}

func rendered(diags config.Diagnostics) string {
	var b strings.Builder
	_ = diags.Write(&b) // to memory
	return b.String()
}
