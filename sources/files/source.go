package files

import (
	"context"
	"path"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/files"
	"github.com/syncd/syncd/engine/schedule"
)

// source reads the files of one directory. What it holds beside its configuration
// belongs to its one run.
type source struct {
	*schedule.Runner
	env    component.Env
	config *Config
	fs     files.FS
	hub    *hub

	ours       []string
	depth      int
	hidden     bool
	chunkRows  int
	chunkBytes int64

	seen   map[string]*file  // by path, as of the last look
	said   map[string]string // what has been said of a path
	nudge  chan struct{}     // something has changed, for a run that waits
	wake   chan struct{}     // the same, for a run to begin
	status status
}

var (
	_ component.Source    = (*source)(nil)
	_ component.Triggered = (*source)(nil)
	_ component.Reporter  = (*source)(nil)
	_ component.Parser    = (*source)(nil)
)

func open(env component.Env, c *Config, h *hub) (component.Source, error) {
	c.Path = path.Clean(c.Path)
	s := &source{
		env: env, config: c, fs: files.Local{}, hub: h,
		ours: c.ours(), depth: c.depth(), hidden: c.hidden(),
		chunkRows: chunkRows, chunkBytes: chunkBytes,
		said: map[string]string{}, nudge: make(chan struct{}, 1), wake: make(chan struct{}, 1),
	}
	if c.Atomic {
		s.chunkRows, s.chunkBytes = atomicRows, atomicBytes
	}
	if c.Connection.IsSet() {
		var err error
		if s.fs, err = component.Connect[files.FS](env, c.Connection); err != nil {
			return nil, err
		}
	}
	plan := c.Config
	if !plan.IsSet() {
		plan.Every = time.Minute
	}
	var err error
	s.Runner, err = schedule.New(schedule.Options{
		Config: plan, Log: env.Log, Now: env.Now,
		Retry: component.Retry{Initial: time.Second, Max: time.Minute},
	})
	return s, err
}

func (s *source) local() bool { return !s.config.Connection.IsSet() }

// Run reads files until ctx ends.
func (s *source) Run(ctx context.Context, in component.Intake) error {
	stop := s.watching(ctx)
	defer stop()
	return s.Runner.Run(ctx, in, func(ctx context.Context, due schedule.Due) error {
		r := &run{source: s, in: in}
		if err := r.all(ctx); err != nil {
			return err
		}
		if done := due.Done(); len(done) > 0 {
			return r.accept(ctx, nil, done...)
		}
		return nil
	})
}

// Report tells how the source stands.
func (s *source) Report() component.Report {
	report := s.Runner.Report()
	if s.status.well() {
		report.Error = ""
	}
	report.Note = s.status.note()
	return report
}
