package http

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/http"
	"github.com/syncd/syncd/engine/expr"
)

// Config is a sink "http" block.
type Config struct {
	Connection component.Ref            `hcl:"connection,required" ref:"connection.http" doc:"The server." example:"connection.http.crm"`
	Method     string                   `hcl:"method" enum:"POST|PUT|PATCH|DELETE|GET" doc:"The request's method. GET sends no body unless body is given."`
	Path       expr.Template            `hcl:"path" escape:"path" doc:"Appended to the path of base_url." example:"\"/orders/{{ body.id }}\""`
	Query      map[string]expr.Template `hcl:"query,secret" doc:"Query parameters." example:"{ source = \"shop\" }"`
	Headers    map[string]expr.Template `hcl:"headers,secret" escape:"header" doc:"Headers beside the connection's." example:"{ X-Order = \"{{ body.id }}\" }"`
	Body       expr.Expr                `hcl:"body" doc:"What is sent; default: the body as it comes." example:"\"body\""`
	Encode     string                   `hcl:"encode" enum:"json|form|xml|ndjson|text" doc:"How it is sent."`
	Success    expr.Expr                `hcl:"success" yields:"bool" scope:"response" doc:"Whether the answer means that all is well; default: response.status < 300." example:"\"response.status < 300 or response.status == 409\""`
	RetryOn    expr.Expr                `hcl:"retry_on" yields:"bool" scope:"response" doc:"Whether an answer that is no success is worth another attempt; default: status 408, 425, 429 and 5xx." example:"\"response.status >= 500\""`
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
	if path, ok := c.Path.Literal(); ok {
		if _, err := url.PathUnescape(path); err != nil {
			p.Error("path", "not the path of a URL", "A % begins an escape such as %20; write %25 for itself.")
		}
	}
}
