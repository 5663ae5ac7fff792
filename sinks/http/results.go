package http

import (
	"fmt"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/http"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/format"
)

// Results says how the answer to a batch tells of each delivery.
type Results struct {
	Each  expr.Expr `hcl:"each,required" yields:"list" scope:"response" doc:"The list in the answer that has a result for each delivery." example:"\"response.body.items\""`
	Match expr.Expr `hcl:"match" yields:"bool" scope:"record,response" doc:"Whether the result record is that of the delivery whose body is body. Left out: results have the order of the batch." example:"\"record.id == body.id\""`
	OK    expr.Expr `hcl:"ok,required" yields:"bool" scope:"record,response" doc:"Whether a result means that all is well. A delivery without one is seen with record nil." example:"\"record.status < 300\""`
	Retry expr.Expr `hcl:"retry" yields:"bool" scope:"record,response" doc:"Whether one that is not ok is worth another attempt; without it, none is: it is a dead letter." example:"\"record.status == 429\""`
}

// listable are the encodings in which a batch can be sent.
var listable = map[string]bool{"json": true, "ndjson": true, "xml": true}

func (c *Config) validateBatch(p *component.Problems) {
	if c.Batch == nil {
		if c.Results != nil {
			p.Error("results", "results without batch", "The answer to a single delivery is judged by success and retry_on. Add a batch block, or take results out.")
		}
		return
	}
	if !listable[c.Encode] {
		p.Error("encode", fmt.Sprintf("a batch cannot be sent as %s", c.Encode), "Its body is a list: json, ndjson and xml can say that.")
	}
	if !c.sendsBody() {
		p.Error("method", "a batch without a body", "What is batched are bodies, and a GET sends none.")
	}
	for _, a := range []struct {
		name string
		expr expr.Expr
	}{{"success", c.Success}, {"retry_on", c.RetryOn}, {"results.each", c.resultsEach()}} {
		for _, name := range []string{"body", "meta", "event", "vars", "parent"} {
			if a.expr.Uses(name) {
				p.Error(a.name, "an answer to a batch is none to a single event", fmt.Sprintf("There is no %s here: it sees response alone. What the answer says of each delivery is for results.", name))
			}
		}
	}
}

func (c *Config) resultsEach() expr.Expr {
	if c.Results == nil {
		return expr.Expr{}
	}
	return c.Results.Each
}

// told is what the server said of one delivery.
func (s *sink) told(resp *conn.Response, result any, asked string, wrong error) error {
	text := fmt.Sprintf("%s answered %d, and of this one", s.cfg.Method, resp.Status)
	if wrong != nil {
		text += fmt.Sprintf(" (%s: %s)", asked, wrong)
	}
	raw, err := format.AppendJSON(nil, result)
	if err != nil {
		return fmt.Errorf("%s something that cannot be shown: %w", text, err)
	}
	return fmt.Errorf("%s: %s", text, s.scrub.Quote(raw, quoted))
}
