// Package email is the sink that sends each event as a mail, or several as a digest.
package email

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/mail"
)

//go:embed page.md
var page string

// Kind declares sink "email".
var Kind = component.SinkKind("email", "Sends each event as a mail.", newConfig, open).WithPage(page)

type sink struct {
	cfg   *Config
	relay *conn.Relay
}

var _ component.Paced = (*sink)(nil)

func open(env component.Env, cfg *Config) (component.Sink, error) {
	relay, err := component.Connect[*conn.Relay](env, cfg.Connection)
	if err != nil {
		return nil, fmt.Errorf("use %s: %w", cfg.Connection.Address, err)
	}
	return &sink{cfg, relay}, nil
}

// Await implements component.Paced.
func (s *sink) Await(ctx context.Context) error { return s.relay.Await(ctx) }

// Done implements component.Paced.
func (s *sink) Done() { s.relay.Done() }

// Deliver sends a mail for each delivery, or one for a batch.
func (s *sink) Deliver(ctx context.Context, ds []component.Delivery) component.Result {
	if s.cfg.Batch != nil {
		return component.Result{Batch: s.deliver(ctx, ds[0].Batch, ds)}
	}
	errs := make([]error, len(ds))
	for i := range ds {
		errs[i] = s.deliver(ctx, ds[i].ID, ds[i:i+1])
	}
	return component.Result{Errors: errs}
}

func (s *sink) deliver(ctx context.Context, id string, ds []component.Delivery) error {
	m, err := s.compose(id, ds)
	if err != nil {
		return component.Permanent(err)
	}
	err = s.relay.Send(ctx, m)
	if !conn.IsSenderRefused(err) {
		return err
	}
	if _, fixed := s.cfg.From.Literal(); fixed {
		return component.Unwell(err) // every other mail would be, too
	}
	return component.Permanent(err)
}
