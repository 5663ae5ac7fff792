package poll

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/http"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/schedule"
)

// Config is a source "poll" block.
type Config struct {
	Connection component.Ref `hcl:"connection,required,identity" ref:"connection.http" doc:"The server to ask." example:"connection.http.crm"`
	schedule.Config
	Records     expr.Expr      `hcl:"records" scope:"response" yields:"list" default:"\"response.body\"" doc:"The list of records in an answer. A plain path to it is read as a stream, of any length." example:"\"response.body.orders\""`
	OnlyChanged bool           `hcl:"only_changed" doc:"A record whose id is known passes if its content is not the same as last time, and only then. Needs id."`
	MaxBody     component.Size `hcl:"max_body" min:"1KiB" doc:"How long an answer may be. One that cannot be read as a stream may have 32MiB at most."`
	Request     Request        `hcl:"request,block" doc:"What is asked for; templates see cursor."`
	Cursor      *Cursor        `hcl:"cursor,block" doc:"What the next run begins from."`
	Paginate    *Paginate      `hcl:"paginate,oneof" doc:"How an answer tells of the next page."`
	Retry       schedule.Retry `hcl:"retry,block" doc:"How a run that failed is tried again, from where it was: with growing pauses, at its next time at the latest."`
}

// Request is what is sent for each page.
type Request struct {
	Method  string                   `hcl:"method" enum:"GET|POST|PUT|PATCH" doc:"The request's method."`
	Path    expr.Template            `hcl:"path,identity" escape:"path" scope:"cursor" doc:"Where it goes, below the connection's base_url." example:"\"/orders\""`
	Query   map[string]expr.Template `hcl:"query,secret" scope:"cursor" doc:"Parameters of the query; one that turns out empty is left out." example:"{ updated_since = \"{{ cursor }}\" }"`
	Headers map[string]expr.Template `hcl:"headers,secret" escape:"header" scope:"cursor" doc:"Headers, beside the connection's." example:"{ X-Since = \"{{ cursor }}\" }"`
	Body    expr.Expr                `hcl:"body" scope:"cursor" doc:"What is sent, before it is encoded." example:"{ since = \"cursor\", limit = 200 }"`
	Encode  string                   `hcl:"encode" enum:"json|form|xml|text" doc:"How body is written; the Content-Type goes with it."`
}

// SetDefaults fills in what is not given.
func (r *Request) SetDefaults() { r.Method, r.Encode = "GET", "json" }

// Cursor says what the next run begins from.
type Cursor struct {
	Initial any           `hcl:"initial" doc:"What the first run begins from." example:"\"1970-01-01T00:00:00Z\""`
	From    string        `hcl:"from" enum:"record|response" doc:"record: each record has one; response: an answer hands out one for next time."`
	Next    expr.Expr     `hcl:"next,required" scope:"record,response" doc:"The cursor of a record, or that of an answer." example:"\"record.updated_at\""`
	Keep    string        `hcl:"keep" enum:"max|last" doc:"Which of the records' counts: the largest (numbers, text, times), or that of the last record."`
	Overlap time.Duration `hcl:"overlap" doc:"How far before the cursor is asked for again, so that nothing that becomes visible late is missed; needs id." example:"\"5m\""`
	As      string        `hcl:"as" enum:"value|url" doc:"url: the cursor is a link, which the next run follows instead of path and query."`
	Reset   expr.Expr     `hcl:"reset" scope:"response" yields:"bool" doc:"Whether a refusal, an answer whose status is not 2xx, means that the cursor is of no use any more: all is read again from initial on." example:"\"response.status == 410\""`
}

// SetDefaults fills in what is not given.
func (c *Cursor) SetDefaults() { c.From, c.Keep, c.As = "record", "max", "value" }

// largest is what of an answer may be in memory: one that is decoded whole, one
// record, or what stands around a list.
const largest = 32 << 20

func newConfig() *Config {
	c := &Config{MaxBody: 4 << 30}
	c.Request.SetDefaults()
	c.Retry.SetDefaults()
	return c
}

// Validate checks what the tags cannot say.
func (c *Config) Validate(p *component.Problems) {
	c.Config.Check(p, true)
	c.Request.check(p)
	if c.Cursor != nil {
		c.Cursor.check(p)
	}
	if c.Paginate != nil {
		c.Paginate.check(p, &c.Request)
	}
	c.Retry.Check(p)
}

// CheckCommon checks the kind's own attributes beside those of all sources.
func (c *Config) CheckCommon(common *component.SourceCommon, p *component.Problems) {
	switch {
	case common.ID.IsSet():
		c.checkWindow(common.DedupeWindow, p)
	case c.OnlyChanged:
		p.Error("only_changed", "only_changed without id", `Which record is it that has changed? Say what names one: id = "record.id".`)
	case c.Cursor != nil && c.Cursor.Overlap > 0:
		p.Error("cursor.overlap", "overlap without id", `What is asked for again would come again. Say what names a record: id = "record.id".`)
	case c.Cursor != nil && c.Cursor.From == "record":
		p.Warn("cursor", "a cursor without id", `Most servers give the records at the cursor itself again, and these come twice then. Say what names a record: id = "record.id".`)
	}
}

// checkWindow warns where each run would meet ids that are forgotten.
func (c *Config) checkWindow(window time.Duration, p *component.Problems) {
	apart := c.Apart()
	if window == 0 || apart < window*3/2 { // an hour more on a day in autumn is fine
		return
	}
	attr := "every"
	if c.Cron != "" {
		attr = "cron"
	}
	p.Warn(attr, "ids are forgotten from run to run", fmt.Sprintf("It may be %s from one run to the next, and an id is remembered for %s: what is read again then comes again. Say dedupe_window = %q, or more.",
		apart, window, fmt.Sprintf("%dh", 2*int(apart.Hours()+1))))
}

func (r *Request) check(p *component.Problems) {
	for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
		if wrong := conn.CheckHeader(name); wrong != "" {
			p.Error("request.headers", "header not allowed", wrong)
		}
		if text, ok := r.Headers[name].Literal(); ok && strings.ContainsAny(text, "\r\n\x00") {
			p.Error("request.headers", "line break in a header", fmt.Sprintf("The value of %s must be a single line.", name))
		}
	}
	path, ok := r.Path.Literal()
	switch _, err := url.PathUnescape(path); {
	case !ok:
	case strings.Contains(path, "://"):
		p.Error("request.path", "a URL where a path belongs", "The server is the connection's: say base_url there, and what follows it here.")
	case err != nil:
		p.Error("request.path", "not the path of a URL", "A % begins an escape such as %20; write %25 for itself.")
	}
}

func (c *Cursor) check(p *component.Problems) {
	switch {
	case c.From == "response" && c.Next.Uses("record"):
		p.Error("cursor.next", "record where an answer is looked at", `With from = "response", next sees the answer as a whole. Leave from out for a cursor of each record.`)
	case c.From == "record" && !c.Next.Uses("record"):
		p.Error("cursor.next", "no record in next", `The cursor of a record is something like record.updated_at. If the answer hands it out, say from = "response".`)
	case c.From == "response" && c.Overlap > 0:
		p.Error("cursor.overlap", "overlap with a cursor that the answer gives", "It is the server's own word for what comes next, and there is nothing before it.")
	case c.As == "url" && c.From != "response":
		p.Error("cursor.as", "a link in a record", `as = "url" goes with from = "response".`)
	}
	switch c.Initial.(type) {
	case nil, string, int64, float64:
	default:
		p.Error("cursor.initial", "not a cursor", "Write a text or a number.")
	}
}
