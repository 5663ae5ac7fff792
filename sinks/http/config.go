package http

import (
	"fmt"
	"maps"
	nethttp "net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/http"
	"github.com/syncd/syncd/engine/expr"
)

// Config is a sink "http" block.
type Config struct {
	Connection component.Ref            `hcl:"connection,required" ref:"connection.http" doc:"The server to send to." example:"connection.http.crm"`
	Method     string                   `hcl:"method" enum:"POST|PUT|PATCH|DELETE|GET" doc:"The request's method. GET sends no body unless body is given."`
	Path       expr.Template            `hcl:"path" escape:"path" doc:"Where the request goes, below the connection's base_url." example:"\"/orders/{{ body.id }}\""`
	Query      map[string]expr.Template `hcl:"query,secret" doc:"Parameters of the query." example:"{ source = \"shop\" }"`
	Headers    map[string]expr.Template `hcl:"headers,secret" escape:"header" doc:"Headers of the request, beside the connection's." example:"{ X-Order = \"{{ body.id }}\" }"`
	Body       expr.Expr                `hcl:"body" default:"\"body\"" doc:"What is sent, before it is encoded." example:"\"{id: body.id, total: body.total}\""`
	Encode     string                   `hcl:"encode" enum:"json|form|xml|ndjson|text" doc:"How body is written; the Content-Type goes with it."`
	Success    expr.Expr                `hcl:"success" yields:"bool" scope:"response" default:"\"response.status < 300\"" doc:"Whether an answer means that all is well; it sees response.status, response.headers and response.body." example:"\"response.status < 300 or response.status == 409\""`
	RetryOn    expr.Expr                `hcl:"retry_on" yields:"bool" scope:"response" doc:"Whether an answer that is no success is worth another attempt; default: status 408, 425, 429 and 5xx." example:"\"response.status >= 500\""`
	Batch      *component.Batching      `hcl:"batch,block" doc:"Sends several deliveries in one request, whose body is the list of theirs: those of equal path, query and headers."`
	Results    *Results                 `hcl:"results,block" doc:"What the answer to a batch says of each delivery; without it, all share what it says of the request."`
	Sign       []Sign                   `hcl:"sign,oneof" doc:"Signatures of the body, by which the receiver knows that it comes from here."`
}

func newConfig() *Config { return &Config{Method: "POST", Encode: "json"} }

// Validate checks what the tags cannot say.
func (c *Config) Validate(p *component.Problems) {
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		if wrong := conn.CheckHeader(name); wrong != "" {
			p.Error("headers", "header not allowed", wrong)
		}
		if text, ok := c.Headers[name].Literal(); ok && strings.ContainsAny(text, "\r\n\x00") {
			p.Error("headers", "line break in a header", fmt.Sprintf("The value of %s must be a single line.", name))
		}
	}
	c.validateSign(p)
	c.validateBatch(p)
	if path, ok := c.Path.Literal(); ok {
		if _, err := url.PathUnescape(path); err != nil {
			p.Error("path", "not the path of a URL", "A % begins an escape such as %20; write %25 for itself.")
		}
	}
}

func (c *Config) sendsBody() bool { return c.Method != nethttp.MethodGet || c.Body.IsSet() }

// Remembers tells how long receivers know an Idempotency-Key again, as far as
// anybody promises: Stripe removes keys after 24 hours
// (https://docs.stripe.com/api/idempotent_requests), and a webhook source's
// dedupe_window is as long.
func (c *Config) Remembers() component.Memory {
	return component.Memory{For: 24 * time.Hour, Why: "Most receivers forget an Idempotency-Key after 24 hours: a delivery that is repeated later may have its effect twice. Set retry.for to 24h or less, unless this receiver is known to remember longer."}
}
