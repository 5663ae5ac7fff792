package config

import (
	"fmt"

	"github.com/syncd/syncd/engine/component"
)

type movedConfig struct {
	From component.Ref `hcl:"from,required,gone" ref:"source|sink|flow" doc:"The address that it had." example:"source.webhook.orders"`
	To   component.Ref `hcl:"to,required" ref:"source|sink|flow" doc:"The address that it has now." example:"source.webhook.shop_orders"`
}

// decodeMoved reads the moved blocks.
func (l *loader) decodeMoved() {
	from := map[component.Address]*declared{}
	for i := range l.blocks["moved"] {
		d := &l.blocks["moved"][i]
		var cfg movedConfig
		dec := l.decoding(d.file, "in moved")
		dec.block(d.block, "", &cfg)
		if dec.failed {
			continue
		}
		m := Moved{From: cfg.From.Address, To: cfg.To.Address, Place: d.place()}
		l.checkMoved(d, m, from[m.From])
		from[m.From] = d
		l.config.Moved = append(l.config.Moved, m)
	}
}

func (l *loader) checkMoved(d *declared, m Moved, before *declared) {
	at := d.spot()
	if attr := d.block.Body.Attributes["from"]; attr != nil {
		at = d.file.at(attr.Expr.Range())
	}
	was, _ := splitAddress(string(m.From.Base()))
	is, _ := splitAddress(string(m.To.Base()))
	declared := l.index[m.From]
	if declared != nil && declared.repeat != nil {
		declared = nil // the address alone is nobody's
	}
	switch {
	case was != is:
		l.error(at, "moved to another kind", fmt.Sprintf("State keeps its meaning within one kind only: %s cannot become %s.", m.From, m.To))
	case declared != nil:
		l.error(at, fmt.Sprintf("%s is still declared", m.From), fmt.Sprintf("It stands at %s. What moved has left its old address.", declared.place()))
	case before != nil:
		l.error(at, fmt.Sprintf("%s moved twice", m.From), fmt.Sprintf("It moved already at %s.", before.place()))
	}
}
