package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/journal"
	"github.com/syncd/syncd/engine/spelling"
)

// refusal is an error of that kind, in words of its own.
type refusal struct {
	kind error
	text string
}

func (r *refusal) Error() string { return r.text }
func (r *refusal) Unwrap() error { return r.kind }

func refuse(kind error, format string, args ...any) error {
	return &refusal{kind, fmt.Sprintf(format, args...)}
}

// find gives a source of the running configuration; the second is nil if it is disabled.
func (g *graph) find(address string) (*config.Component, *source, error) {
	var names []string
	for _, c := range g.cfg.Sources {
		if string(c.Address) == address {
			return c, g.sources[c.Address], nil
		}
		names = append(names, string(c.Address))
	}
	if best := spelling.Nearest(address, names); best != "" {
		return nil, nil, refuse(admin.ErrNotFound, "there is no %s; did you mean %s?", address, best)
	}
	return nil, nil, refuse(admin.ErrNotFound, "there is no %s: syncd status shows all sources", address)
}

// Trigger has a source run now.
func (e *engine) Trigger(_ context.Context, address string) error {
	_, s, err := e.graph.Load().find(address)
	switch {
	case err != nil:
		return err
	case s == nil:
		return refuse(admin.ErrNoPlace, "%s is disabled", address)
	}
	t, ok := s.Source.(component.Triggered)
	if !ok {
		return refuse(admin.ErrNoPlace, "%s has no runs to trigger: it takes what is sent to it", address)
	}
	if f := s.failure.Load(); f != nil {
		return refuse(admin.ErrNoPlace, "%s has failed, and is run again by itself: %s", address, *f)
	}
	if err := t.Trigger(); err != nil {
		return refuse(admin.ErrNoPlace, "%s: %v", address, err)
	}
	e.log.Info("run triggered by hand", "component", address)
	return nil
}

// secretKeys begin the keys of what is kept and must not show.
const secretKeys = "secret:"

// Kept lists what a source keeps.
func (e *engine) Kept(ctx context.Context, address, prefix, after string, limit int) ([]admin.Kept, error) {
	if _, _, err := e.graph.Load().find(address); err != nil {
		return nil, err
	}
	page, err := e.journal.Kept(ctx, address, journal.KeptQuery{Prefix: prefix, After: after, Limit: limit})
	if err != nil {
		return nil, err
	}
	list := make([]admin.Kept, len(page))
	for i := range page {
		list[i] = admin.Kept{Key: page[i].Key, Value: page[i].Value}
		if strings.HasPrefix(page[i].Key, secretKeys) {
			list[i].Value, list[i].Secret = nil, true
		}
		if !page[i].Expires.IsZero() {
			list[i].Expires = &page[i].Expires
		}
	}
	return list, nil
}

// Checkpoints tells what the sources keep.
func (e *engine) Checkpoints(ctx context.Context) ([]admin.Checkpoint, error) {
	g := e.graph.Load()
	var list []admin.Checkpoint
	for _, c := range g.cfg.Sources {
		point := admin.Checkpoint{Source: string(c.Address), State: admin.Disabled}
		s := g.sources[c.Address]
		if s != nil {
			point.State, _ = s.state()
		}
		var err error
		if point.Entries, err = e.journal.CountKept(ctx, point.Source, ""); err != nil {
			return nil, err
		}
		if point.Entries == 0 && (s == nil || s.routes != nil) {
			continue // it keeps nothing, and never will if it is served by a listener
		}
		if point.Summary, err = e.summary(ctx, point.Source); err != nil {
			return nil, err
		}
		list = append(list, point)
	}
	return list, nil
}

// Bounds of a summary: sorts of entries, and characters of a value.
const (
	maxSorts = 6
	maxValue = 80
)

// summary tells what a source keeps: single values as they are, and how many there
// are of each sort of which there may be many.
func (e *engine) summary(ctx context.Context, source string) (string, error) {
	var parts []string
	for after := ""; len(parts) < maxSorts; {
		page, err := e.journal.Kept(ctx, source, journal.KeptQuery{After: after, Limit: 1})
		if err != nil {
			return "", err
		}
		if len(page) == 0 {
			break
		}
		after = page[0].Key
		sort, _, many := strings.Cut(after, ":")
		if !many {
			parts = append(parts, after+" "+brief(page[0].Value))
			continue
		}
		n, err := e.journal.CountKept(ctx, source, sort+":")
		if err != nil {
			return "", err
		}
		parts = append(parts, fmt.Sprintf("%d %s", n, sort))
		after = sort + ":\xff"
	}
	return strings.Join(parts, ", "), nil
}

// brief is a value for people.
func brief(value json.RawMessage) string {
	text := string(value)
	var s string
	if json.Unmarshal(value, &s) == nil {
		text = s
	}
	if r := []rune(text); len(r) > maxValue {
		text = string(r[:maxValue-1]) + "…"
	}
	return text
}

// SetCheckpoint has a source go on from value, or changes one that it keeps.
func (e *engine) SetCheckpoint(ctx context.Context, address, key string, value json.RawMessage) error {
	return e.change(ctx, address, func(s *source) (change, error) {
		if key != "" {
			old, err := e.existing(ctx, address, key)
			if err != nil {
				return change{}, err
			}
			if a, b := shape(old.Value), shape(value); a != b {
				return change{}, refuse(admin.ErrUnfit, "%s of %s is %s, and cannot become %s", key, address, a, b)
			}
			return change{done: "checkpoint set by hand", puts: []component.Put{{Key: key, Value: value, Expires: old.Expires}}}, nil
		}
		if s == nil {
			return change{}, refuse(admin.ErrNoPlace, "%s is disabled: enable it first, or name the key to change", address)
		}
		is, ok := s.Source.(component.Checkpointed)
		if !ok {
			return change{}, refuse(admin.ErrNoPlace, "%s has no one place to go on from: name the key to change, as syncd checkpoint show tells it", address)
		}
		puts, err := is.Checkpoint(value)
		if err != nil {
			return change{}, refuse(admin.ErrUnfit, "this is no checkpoint of %s: %v", address, err)
		}
		return change{done: "checkpoint set by hand", puts: puts}, nil
	})
}

// ResetCheckpoint has a source begin anew, or forget a value.
func (e *engine) ResetCheckpoint(ctx context.Context, address, key string) error {
	return e.change(ctx, address, func(*source) (change, error) {
		if key == "" {
			return change{done: "checkpoint reset by hand", all: true}, nil
		}
		if _, err := e.existing(ctx, address, key); err != nil {
			return change{}, err
		}
		return change{done: "checkpoint reset by hand", puts: []component.Put{{Key: key}}}, nil
	})
}

// existing is what a source keeps under key.
func (e *engine) existing(ctx context.Context, address, key string) (journal.Kept, error) {
	first, err := e.journal.Kept(ctx, address, journal.KeptQuery{Prefix: key, Limit: 1})
	switch {
	case err != nil:
		return journal.Kept{}, err
	case len(first) == 0 || first[0].Key != key:
		return journal.Kept{}, refuse(admin.ErrNotFound, "%s keeps nothing under %q: syncd checkpoint show tells what there is", address, key)
	}
	return first[0], nil
}

// shape tells what sort of JSON value v is.
func shape(v json.RawMessage) string {
	switch v[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "text"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	}
	return "a number"
}

// change is what is to become of a source's checkpoint.
type change struct {
	done string // for the log
	all  bool   // everything is forgotten
	puts []component.Put
}

// change changes a checkpoint. The source stops for it, so that it never has two
// owners, and begins anew with it.
func (e *engine) change(ctx context.Context, address string, decide func(*source) (change, error)) error {
	if err := e.takeTurn(ctx); err != nil {
		return err
	}
	defer e.endTurn()
	_, s, err := e.graph.Load().find(address)
	if err != nil {
		return err
	}
	if s != nil && s.routes != nil {
		return refuse(admin.ErrNoPlace, "%s has no checkpoint: it takes what is sent to it", address)
	}
	c, err := decide(s)
	if err != nil {
		return err
	}
	if s != nil {
		s.halt()
		defer e.launch(s)
	}
	ctx = context.WithoutCancel(ctx) // it is all or nothing from here on
	if c.all {
		err = e.journal.Forget(ctx, address)
	} else {
		_, err = e.journal.Append(ctx, journal.Append{Source: address, State: c.puts})
	}
	if err != nil {
		return fmt.Errorf("change checkpoint of %s: %w", address, err)
	}
	args := []any{"component", address}
	for _, p := range c.puts {
		args = append(args, "key", p.Key)
	}
	e.log.Info(c.done, args...)
	return nil
}
