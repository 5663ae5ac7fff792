package config

import (
	"fmt"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

type flowConfig struct {
	Description string          `hcl:"description" doc:"What it is for, for people."`
	Enabled     bool            `hcl:"enabled" doc:"false: read and checked, but not run."`
	From        []component.Ref `hcl:"from" ref:"source" doc:"The sources whose events it takes; without it, only other flows call it." example:"[source.webhook.orders]"`
	To          []component.Ref `hcl:"to" ref:"sink|flow" doc:"Where events go that pass all steps." example:"[sink.http.erp]"`
	OrderBy     expr.Expr       `hcl:"order_by" doc:"Events for which it yields the same stay in order." example:"\"body.customer_id\""`
	Concurrency int             `hcl:"concurrency" min:"1" max:"100000" doc:"Unsettled events of a lane at a time."`
	Start       string          `hcl:"start" doc:"Where a new flow begins in its sources' history: now, oldest, or so long ago." example:"\"2h\""`

	start Start
}

// Validate reads start.
func (c *flowConfig) Validate(p *component.Problems) {
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
	for i := range l.blocks["flow"] {
		d := &l.blocks["flow"][i]
		cfg := flowConfig{Enabled: true, Start: "now"}
		dec := l.decoding(d.file, "in "+blockName(d.block), flowNames...)
		dec.fill(d.block, "", l.stepTypes(), &cfg)
		dec.validate()
		body, way := dec.steps(d.block)
		way.end(dec, d.block, body)
		f := &Flow{
			Address: d.address, Description: cfg.Description, Enabled: cfg.Enabled, From: addresses(cfg.From),
			Concurrency: cfg.Concurrency, OrderBy: cfg.OrderBy, Start: cfg.start, Body: body, Place: d.place(),
		}
		l.checkEnds(d, way)
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
