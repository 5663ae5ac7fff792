package component

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/expr"
)

// SourceCommon is what every source's block takes beside its kind's own attributes.
type SourceCommon struct {
	Description  string        `hcl:"description" doc:"What it is for, for people."`
	Enabled      bool          `hcl:"enabled" doc:"false: read and checked, but not run."`
	Key          expr.Expr     `hcl:"key" doc:"Becomes event.key." example:"\"body.customer_id\""`
	ID           expr.Expr     `hcl:"id" doc:"Deduplicates within this source; nil or empty: no deduplication." example:"\"meta.header['x-event-id']\""`
	DedupeWindow time.Duration `hcl:"dedupe_window" doc:"How long an id is remembered."`
	Redact       []string      `hcl:"redact" doc:"Fields masked before anything is written." example:"[\"body.card\"]"`
	ExpectEvery  time.Duration `hcl:"expect_every" doc:"Silence for longer than this is reported as stale."`
}

// SetDefaults fills in what is not given.
func (c *SourceCommon) SetDefaults() {
	c.Enabled = true
	c.DedupeWindow = 24 * time.Hour
}

// Validate checks the paths of redact.
func (c *SourceCommon) Validate(p *Problems) {
	for i, path := range c.Redact {
		if !IsRedactPath(path) {
			p.Error(fmt.Sprintf("redact[%d]", i), fmt.Sprintf("%q is not a field", path), `Write "body.card" or "meta.header.x-token".`)
		}
	}
}

// IsRedactPath tells whether redact may name path: the body, or a field of body or meta.
func IsRedactPath(path string) bool {
	parts := strings.Split(path, ".")
	return !slices.Contains(parts, "") && (parts[0] == "body" || parts[0] == "meta" && len(parts) > 1)
}

// SinkCommon is what every sink's block takes beside its kind's own attributes.
type SinkCommon struct {
	Description string        `hcl:"description" doc:"What it is for, for people."`
	When        expr.Expr     `hcl:"when" yields:"bool" doc:"Only events for which it is true are delivered here."`
	Concurrency int           `hcl:"concurrency" doc:"Calls at a time, over all flows." min:"1" max:"4096"`
	Timeout     time.Duration `hcl:"timeout" doc:"For one call." min:"1ms"`
	Retry       Retry         `hcl:"retry,block" doc:"How a delivery that failed is tried again."`
	Breaker     Breaker       `hcl:"breaker,block" doc:"When a sink that fails for everything is left alone."`
}

// SetDefaults fills in what is not given.
func (c *SinkCommon) SetDefaults() {
	c.Concurrency, c.Timeout = 8, 30*time.Second
	c.Retry.SetDefaults()
	c.Breaker.SetDefaults()
}

// Retry is exponential backoff with jitter, then a dead letter.
type Retry struct {
	For     time.Duration `hcl:"for" doc:"Past this since the first failure, the delivery is a dead letter."`
	Initial time.Duration `hcl:"initial" doc:"The first pause." min:"1ms"`
	Max     time.Duration `hcl:"max" doc:"The longest pause." min:"1ms"`
}

// SetDefaults fills in what is not given.
func (r *Retry) SetDefaults() {
	*r = Retry{For: 24 * time.Hour, Initial: time.Second, Max: 15 * time.Minute}
}

// Breaker stops a lane whose different deliveries fail one after the other.
type Breaker struct {
	Failures int           `hcl:"failures" doc:"So many different deliveries failing in a row stop the lane." min:"1"`
	Pause    time.Duration `hcl:"pause" doc:"Between probes of a stopped lane." min:"1ms"`
}

// SetDefaults fills in what is not given.
func (b *Breaker) SetDefaults() { *b = Breaker{Failures: 5, Pause: 30 * time.Second} }
