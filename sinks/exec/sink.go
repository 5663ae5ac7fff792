// Package exec is the sink that runs a program for each event: no shell, an
// environment of listed variables, and an end for whatever hangs.
package exec

import (
	"context"
	_ "embed"
	"fmt"
	"maps"
	"os"
	osexec "os/exec"
	"slices"
	"strings"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/scrub"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/format"
)

//go:embed page.md
var page string

// Kind declares sink "exec".
var Kind = component.SinkKind("exec", "Runs a program for each event.", newConfig, open).WithPage(page)

type sink struct {
	cfg     *Config
	program string   // its path
	passed  []string // of the daemon's environment, as NAME=value
	names   []string // of cfg.Env, sorted
	scrub   scrub.Scrubber
}

var _ component.Sink = (*sink)(nil)

// open finds the program: one that is missing is found out before anything runs.
func open(_ component.Env, cfg *Config) (component.Sink, error) {
	name, _ := cfg.Command[0].Literal()
	program, err := osexec.LookPath(name)
	if err != nil {
		return nil, fmt.Errorf("find the program: %w", err)
	}
	s := &sink{cfg: cfg, program: program, names: slices.Sorted(maps.Keys(cfg.Env))}
	for _, name := range cfg.PassEnv {
		if value, ok := os.LookupEnv(name); ok {
			s.passed = append(s.passed, name+"="+value)
		}
	}
	var secrets []string
	for _, t := range cfg.Env {
		if value, ok := t.Literal(); ok {
			secrets = append(secrets, value)
		}
		secrets = append(secrets, t.Secrets()...)
	}
	s.scrub = scrub.New(secrets, nil)
	return s, nil
}

// Deliver runs the program for each delivery and judges how it ended.
func (s *sink) Deliver(ctx context.Context, ds []component.Delivery) component.Result {
	errs := make([]error, len(ds))
	for i := range ds {
		errs[i] = s.deliver(ctx, &ds[i])
	}
	return component.Result{Errors: errs}
}

func (s *sink) deliver(ctx context.Context, d *component.Delivery) error {
	r, err := s.prepare(d)
	if err != nil {
		return component.Permanent(err)
	}
	return s.judge(r, r.run(ctx))
}

// prepare fills in what the event decides.
func (s *sink) prepare(d *component.Delivery) (*run, error) {
	in := d.Event.Input()
	r := &run{program: s.program, dir: s.cfg.Dir, limit: quoted + s.scrub.Overlap()}
	for i := range s.cfg.Command {
		word, err := s.cfg.Command[i].Eval(in)
		if err != nil {
			return nil, fmt.Errorf("make argument %d of the command: %w", i, err)
		}
		r.args = append(r.args, word)
	}
	stdin, err := s.stdin(in)
	if err != nil {
		return nil, err
	}
	r.stdin = stdin
	r.env = append(slices.Clone(s.passed),
		"SYNCD_DELIVERY_ID="+d.ID, "SYNCD_EVENT_ID="+d.Event.ID, "SYNCD_SOURCE="+d.Event.Source)
	for _, name := range s.names {
		value, err := s.cfg.Env[name].Eval(in)
		if err != nil {
			return nil, fmt.Errorf("make %s of the environment: %w", name, err)
		}
		if strings.Contains(value, "\x00") {
			return nil, fmt.Errorf("make %s of the environment: it holds a NUL byte", name)
		}
		r.env = append(r.env, name+"="+value)
	}
	return r, nil
}

func (s *sink) stdin(in *expr.Input) ([]byte, error) {
	if !s.cfg.Stdin.IsSet() {
		return nil, nil
	}
	v, err := s.cfg.Stdin.Eval(in)
	if err != nil {
		return nil, fmt.Errorf("make stdin: %w", err)
	}
	if text, ok := v.(string); ok {
		return []byte(text), nil
	}
	out, err := format.AppendJSON(nil, v)
	if err != nil {
		return nil, fmt.Errorf("make stdin: %w", err)
	}
	return out, nil
}
