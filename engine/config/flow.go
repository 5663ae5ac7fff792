package config

import (
	"fmt"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

type flowConfig struct {
	Description string          `hcl:"description" doc:"A note for people; nothing depends on it."`
	Enabled     bool            `hcl:"enabled" doc:"false: it is checked with the rest, but does not run; what waits keeps its place."`
	From        []component.Ref `hcl:"from" ref:"source" doc:"The sources whose events it takes; without it, only other flows call it." example:"[source.webhook.orders]"`
	To          []component.Ref `hcl:"to" ref:"sink|flow" doc:"Where events go that pass all steps; a flow named here runs in place." example:"[sink.http.erp]"`
	ForEach     forEach         `hcl:"for_each" doc:"A map, or a set of text: one flow for each element, which sees each.key and each.value." example:"{ cl = \"Chile\", pe = \"Perú\" }"`
	OrderBy     expr.Expr       `hcl:"order_by" doc:"Events for which it yields the same value stay in order, through failures and retries." example:"\"body.customer_id\""`
	OnDead      string          `hcl:"on_dead" enum:"go_on|hold" doc:"What becomes of the events of a key, by order_by, behind a dead letter: they go on, or wait until it is retried or dropped." example:"\"hold\""`
	DeadLetter  component.Ref   `hcl:"dead_letter" ref:"flow" doc:"A flow to which each dead letter is handed as well, to tell somebody, say; the dead letter itself stays." example:"flow.trouble"`
	Concurrency int             `hcl:"concurrency" min:"1" max:"100000" doc:"Deliveries under way at a time to each of its sinks, within the sink's own concurrency." example:"4"`
	Start       string          `hcl:"start" doc:"Where a new flow begins on a source that has history: \"now\", \"oldest\", or so long ago." example:"\"2h\""`

	start Start
}

func newFlowConfig() flowConfig { return flowConfig{Enabled: true, Start: "now", OnDead: "go_on"} }

// Validate reads start, and refuses to hold what has no key.
func (c *flowConfig) Validate(p *component.Problems) {
	if c.OnDead == "hold" && !c.OrderBy.IsSet() {
		p.Error("on_dead", "on_dead = \"hold\" without order_by", "It holds back the events of a dead letter's key: say with order_by what that is.")
	}
	if c.DeadLetter.IsSet() && len(c.From) == 0 {
		p.Warn("dead_letter", "this flow has no dead letters of its own", "It has no from: what fails in it belongs to the flow that calls it. Give that one a dead_letter.")
	}
	switch c.Start {
	case "now":
	case "oldest":
		c.start.Oldest = true
	default:
		back, err := parseDuration(c.Start)
		if err != nil {
			p.Error("start", fmt.Sprintf("invalid start %q", c.Start), `It may be "now", "oldest", or a time to go back: "2h", "7d".`)
		}
		c.start.Back = max(back, time.Duration(0))
	}
}

func (l *loader) decodeFlows() {
	for _, d := range l.components["flow"] {
		l.within(d, func() { l.decodeFlow(d) })
	}
}

func (l *loader) decodeFlow(d *declared) {
	cfg := newFlowConfig()
	dec := l.decoding(d.file, "in "+blockName(d.block), flowNames...)
	dec.fill(d.block, "", l.stepTypes(), &cfg)
	dec.validate()
	body, way := dec.steps(d.block)
	way.end(dec, d.block, body)
	way.deadLetter(dec)
	f := &Flow{
		Address: d.address, Description: cfg.Description, Enabled: cfg.Enabled, From: addresses(cfg.From),
		Concurrency: cfg.Concurrency, OrderBy: cfg.OrderBy, Hold: cfg.OnDead == "hold", DeadLetter: cfg.DeadLetter.Address, Start: cfg.start, Body: body, Place: d.place(),
	}
	l.checkEnds(d, way)
	if d.stands() {
		l.ways[d.address] = way
		l.config.Flows = append(l.config.Flows, f)
		d.result = f
	}
}

// checkEnds refuses a flow whose events do not all arrive somewhere.
func (l *loader) checkEnds(d *declared, w *way) {
	if w.ends {
		return
	}
	l.error(d.spot(), fmt.Sprintf("%s leads nowhere", blockName(d.block)),
		"Every way through a flow ends in sinks or other flows. Give it a to = [sink.KIND.NAME], or give each case of its last route one.")
}

func addresses(refs []component.Ref) []component.Address {
	var list []component.Address
	for _, ref := range refs {
		list = append(list, ref.Address)
	}
	return list
}
