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
	Description  string        `hcl:"description" doc:"A note for people; nothing depends on it."`
	Enabled      bool          `hcl:"enabled" doc:"false: it is checked with the rest, but does not run."`
	Key          expr.Expr     `hcl:"key" scope:"body,meta,event,?record" doc:"What expressions then see as event.key." example:"\"body.customer_id\""`
	ID           expr.Expr     `hcl:"id" scope:"body,meta,event,?record" doc:"What names an event at its sender: one whose id was seen within dedupe_window is answered like the first and not stored. nil or empty: always new." example:"\"meta.header['x-event-id']\""`
	DedupeWindow time.Duration `hcl:"dedupe_window" doc:"How long an id is remembered. A source of records, which reads the same ones again, remembers from when it saw one last."`
	Redact       []string      `hcl:"redact" doc:"Paths of fields that are masked before anything is written to disk, names joined by dots; a list on the way stands for each of its elements." example:"[\"body.card\", \"meta.header.x-token\"]"`
	ExpectEvery  time.Duration `hcl:"expect_every" doc:"Silence for longer than this shows as stale in syncd status." example:"\"1h\""`
}

// SetDefaults fills in what is not given.
func (c *SourceCommon) SetDefaults() {
	c.Enabled = true
	c.DedupeWindow = 24 * time.Hour
}

// Validate checks the paths of redact.
func (c *SourceCommon) Validate(p *Problems) {
	for i, path := range c.Redact {
		switch {
		case strings.ContainsAny(path, "[]*"):
			p.Error(fmt.Sprintf("redact[%d]", i), fmt.Sprintf("%q holds an index", path), "Leave it out: a list on the way stands for each of its elements.")
		case !IsRedactPath(path):
			p.Error(fmt.Sprintf("redact[%d]", i), fmt.Sprintf("%q is not a field", path), `Write "body.card" or "meta.header.x-token".`)
		}
	}
}

// CommonChecker is a source's configuration that has something to say about what all
// sources have in common, after its own Validate.
type CommonChecker interface {
	CheckCommon(c *SourceCommon, p *Problems)
}

// IsRedactPath tells whether redact may name path: the body, or a field of body or meta.
func IsRedactPath(path string) bool {
	parts := strings.Split(path, ".")
	return !slices.Contains(parts, "") && !strings.ContainsAny(path, "[]*") && (parts[0] == "body" || parts[0] == "meta" && len(parts) > 1)
}

// SinkCommon is what every sink's block takes beside its kind's own attributes.
type SinkCommon struct {
	Description string        `hcl:"description" doc:"A note for people; nothing depends on it."`
	When        expr.Expr     `hcl:"when" yields:"bool" doc:"Only events for which it is true are delivered here." example:"\"body.total > 100\""`
	Concurrency int           `hcl:"concurrency" doc:"How many deliveries may be under way at a time, over all flows." min:"1" max:"4096"`
	Timeout     time.Duration `hcl:"timeout" doc:"How long one attempt may take; past it, it has failed and is tried again." min:"1ms"`
	RateLimit   Rate          `hcl:"rate_limit" doc:"How many calls may begin in a time, over all flows; what is beyond waits. A batch is one call." example:"\"10/s\""`
	Expires     time.Duration `hcl:"expires" doc:"A delivery whose event was accepted longer ago is not tried any more: it is a dead letter." min:"1s" example:"\"6h\""`
	Retry       Retry         `hcl:"retry,block" doc:"How a delivery that failed is tried again: with growing pauses, until it counts as dead."`
	Breaker     Breaker       `hcl:"breaker,block" doc:"When a destination that fails for everything is left alone: its lane stops, and only probes go out until one succeeds."`
}

// SetDefaults fills in what is not given.
func (c *SinkCommon) SetDefaults() {
	c.Concurrency, c.Timeout = 8, 30*time.Second
	c.Retry.SetDefaults()
	c.Breaker.SetDefaults()
}

// Retry is exponential backoff with jitter, then a dead letter.
type Retry struct {
	For     time.Duration `hcl:"for" doc:"How long it is tried, from the first failure on; then it is a dead letter."`
	Initial time.Duration `hcl:"initial" doc:"The pause before the second attempt; each later one is longer." min:"1ms"`
	Max     time.Duration `hcl:"max" doc:"The longest pause between two attempts." min:"1ms"`
}

// SetDefaults fills in what is not given.
func (r *Retry) SetDefaults() {
	*r = Retry{For: 24 * time.Hour, Initial: time.Second, Max: 15 * time.Minute}
}

// Batching is the batch block of a sink that is a Batcher: its configuration has it as
//
//	Batch *component.Batching `hcl:"batch,block" doc:"…"`
//
// and its Batching method returns that. A batch goes out when one of the three is reached.
type Batching struct {
	Max    int           `hcl:"max" doc:"How many deliveries go out together at most." min:"1" max:"10000"`
	Within time.Duration `hcl:"within" doc:"How long the first of them waits for others; 0s: what is there goes at once." min:"0s"`
	Bytes  Size          `hcl:"bytes" doc:"How large they may be together, as their events came in." min:"1KiB" max:"64MiB"`
}

// SetDefaults fills in what is not given.
func (b *Batching) SetDefaults() { *b = Batching{Max: 100, Within: time.Second, Bytes: 1 << 20} }

// Breaker stops a lane whose different deliveries fail one after the other.
type Breaker struct {
	Failures int           `hcl:"failures" doc:"How many different deliveries must fail in a row for the lane to stop." min:"1"`
	Pause    time.Duration `hcl:"pause" doc:"The pause before each probe of a stopped lane." min:"1ms"`
}

// SetDefaults fills in what is not given.
func (b *Breaker) SetDefaults() { *b = Breaker{Failures: 5, Pause: 30 * time.Second} }
