package imap

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/mail"
)

// source reads the mailboxes of one block. But for its boxes, what it holds does not change.
type source struct {
	env      component.Env
	config   *Config
	server   *mail.Box
	criteria criteria
	boxes    []*box

	mu      sync.Mutex
	running bool
	refusal string // of a mail that became no event, the last
}

var (
	_ component.Source       = (*source)(nil)
	_ component.Triggered    = (*source)(nil)
	_ component.Reporter     = (*source)(nil)
	_ component.Checkpointed = (*source)(nil)
	_ component.Parser       = (*source)(nil)
)

func open(env component.Env, c *Config) (component.Source, error) {
	server, err := component.Connect[*mail.Box](env, c.Connection)
	if err != nil {
		return nil, fmt.Errorf("use %s: %w", c.Connection.Address, err)
	}
	s := &source{env: env, config: c, server: server, criteria: newCriteria(&c.Match)}
	for _, m := range c.mailboxes() {
		s.boxes = append(s.boxes, newBox(s, canonical(m)))
	}
	return s, nil
}

// Run reads mails until ctx ends.
func (s *source) Run(ctx context.Context, in component.Intake) error {
	s.runs(true)
	defer s.runs(false)
	all, reading := errgroup.WithContext(ctx)
	for _, b := range s.boxes {
		all.Go(func() error { return b.run(reading, in) })
	}
	if err := all.Wait(); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

func (s *source) runs(is bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = is
}

// Trigger has every mailbox looked into now, also one whose next attempt is to come.
func (s *source) Trigger() error {
	s.mu.Lock()
	running := s.running
	s.mu.Unlock()
	if !running {
		return errors.New("it does not run now")
	}
	for _, b := range s.boxes {
		signal(b.kick)
	}
	return nil
}

// signal sets a flag that somebody waits for; it may be set already.
func signal(flag chan struct{}) {
	select {
	case flag <- struct{}{}:
	default:
	}
}

// refuse counts mails that become no event; why tells it of each.
func (s *source) refuse(in component.Intake, why []string) {
	if len(why) == 0 {
		return
	}
	in.Refused(len(why))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusal = why[len(why)-1]
}

// Report tells how the source stands: of several mailboxes, what is worst.
func (s *source) Report() component.Report {
	var r component.Report
	var notes []string
	for i, b := range s.boxes {
		is := b.status.get()
		if i == 0 || is.last.Before(r.Last) {
			r.Last = is.last
		}
		if !is.next.IsZero() && (r.Next.IsZero() || is.next.Before(r.Next)) {
			r.Next = is.next
		}
		if is.fault != "" && r.Error == "" {
			r.Error = is.fault
		}
		if is.note != "" {
			notes = append(notes, b.mailbox+" "+is.note)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refusal != "" {
		notes = append(notes, "last refused "+s.refusal)
	}
	r.Note = strings.Join(notes, "; ")
	return r
}

// status is how a mailbox stands.
type status struct {
	mu sync.Mutex
	is standing
}

type standing struct {
	last, next  time.Time
	fault, note string
}

func (s *status) get() standing {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.is
}

func (s *status) set(change func(*standing)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.is)
}

// glob reads "*@partner.example".
func glob(text string) *regexp.Regexp {
	return regexp.MustCompile("(?is)^" + strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, ".*") + "$")
}
