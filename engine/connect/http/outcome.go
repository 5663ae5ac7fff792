package http

import (
	"fmt"
	"strings"

	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/format"
)

// Verdict is what a connection's outcome block says of an answer.
type Verdict int

// The verdicts. Nothing is said where there is no such block, either.
const (
	NothingSaid Verdict = iota
	TryAgain            // whatever its status
	Failed              // although its status is that of a success
)

// Judges tells whether there is an outcome block, for which answers must be decoded.
func (c *Client) Judges() bool { return c.outcome.Retry.IsSet() || c.outcome.Fail.IsSet() }

// Judge says what the connection makes of in.Response; see Response.Seen. It is asked
// before the user's own rules, and Failed is meant of what these take for a success:
// a 401 or a 503 stays what it is. An expression that fails on an answer, the HTML of
// a gateway, say, is an error: nothing then shows that the answer is a success.
func (c *Client) Judge(in *expr.Input) (Verdict, error) {
	for _, rule := range []struct {
		name string
		expr expr.Expr
		says Verdict
	}{{"retry", c.outcome.Retry, TryAgain}, {"fail", c.outcome.Fail, Failed}} {
		if !rule.expr.IsSet() {
			continue
		}
		holds, err := rule.expr.Bool(in)
		if err != nil {
			return Failed, fmt.Errorf("outcome.%s: %w", rule.name, err)
		}
		if holds {
			return rule.says, nil
		}
	}
	return NothingSaid, nil
}

// Seen is what expressions see of an answer as response: a body that does not parse as
// what it says it is, or is cut, is seen as text.
func (r *Response) Seen() map[string]any {
	headers := make(map[string]any, len(r.Header))
	for name, values := range r.Header {
		headers[strings.ToLower(name)] = values[0]
	}
	var body any
	if len(r.Body) > 0 {
		var err error
		if body, err = format.Decode(r.Header.Get("Content-Type"), r.Body); err != nil || r.Truncated {
			body = strings.ToValidUTF8(string(r.Body), "\ufffd")
		}
	}
	return map[string]any{"status": int64(r.Status), "headers": headers, "body": body}
}
