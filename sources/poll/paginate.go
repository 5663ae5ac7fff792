package poll

import (
	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/http"
	"github.com/syncd/syncd/engine/expr"
)

// Paginate is one way in which an answer tells of the next page.
type Paginate struct {
	Token   *Token   `hcl:"token" doc:"The answer has a token, and the request for the next page sends it."`
	Link    *Link    `hcl:"link" doc:"The answer's Link header names the next page (RFC 8288, rel=\"next\")."`
	NextURL *NextURL `hcl:"next_url" doc:"The answer has the next page's URL, which may be relative."`
	Page    *Page    `hcl:"page" doc:"Pages are numbered; the first without records ends the run."`
	Offset  *Offset  `hcl:"offset" doc:"The request says how many records to leave out; the first page without records ends the run."`
}

// Limits are what all ways have in common.
type Limits struct {
	MaxPages int       `hcl:"max_pages" min:"0" doc:"After so many pages a run is complete, whatever follows; 0: no limit."`
	Stop     expr.Expr `hcl:"stop" scope:"response" yields:"bool" doc:"Whether this page is the last, whatever the answer says of a next one." example:"\"response.body.page == response.body.pages\""`
}

// Token is a token in the answer.
type Token struct {
	Next   expr.Expr `hcl:"next,required" scope:"response" doc:"The next page's token; nil or empty after the last." example:"\"response.body.next_page_token\""`
	Query  string    `hcl:"query" doc:"The query parameter that carries it." example:"\"page_token\""`
	Header string    `hcl:"header" doc:"The header that carries it, if no parameter does." example:"\"X-Page-Token\""`
	Field  string    `hcl:"field" doc:"The field of the request's body that carries it, by its path, if neither does." example:"\"page.token\""`
	Limits
}

// Link is the Link header.
type Link struct{ Limits }

// NextURL is a URL in the answer.
type NextURL struct {
	Next expr.Expr `hcl:"next,required" scope:"response" doc:"The next page's URL; nil or empty after the last." example:"\"response.body.links.next\""`
	Limits
}

// Page is a page's number.
type Page struct {
	Query string `hcl:"query" doc:"The query parameter that carries the number."`
	Start int64  `hcl:"start" min:"0" doc:"The first page's number."`
	Size  int    `hcl:"size" min:"0" doc:"How many records each page but the last has: one with fewer ends the run, and saves a request. Only if the server keeps to it."`
	Limits
}

// SetDefaults fills in what is not given.
func (p *Page) SetDefaults() { p.Query, p.Start = "page", 1 }

// Offset is how many records are left out.
type Offset struct {
	Query      string `hcl:"query" doc:"The query parameter that says how many records to leave out."`
	LimitQuery string `hcl:"limit_query" doc:"The one that says how many a page may have."`
	Size       int    `hcl:"size" min:"1" doc:"How many that is. The server may give fewer."`
	Limits
}

// SetDefaults fills in what is not given.
func (o *Offset) SetDefaults() { o.Query, o.LimitQuery, o.Size = "offset", "limit", 100 }

func (c *Paginate) check(p *component.Problems, r *Request) {
	t := c.Token
	if t == nil {
		return
	}
	places := 0
	for _, name := range []string{t.Query, t.Header, t.Field} {
		if name != "" {
			places++
		}
	}
	switch {
	case places != 1:
		p.Error("paginate.token", "query, header or field", `Say once where the token goes: query = "page_token", header = "X-Page-Token" or field = "page_token".`)
	case t.Field != "" && !r.Body.IsSet():
		p.Error("paginate.token.field", "a field of no body", `The request sends no body: say request { body = { limit = 100 } }, or body = {} for an empty one.`)
	case t.Field != "" && (r.Encode == "xml" || r.Encode == "text"):
		p.Error("paginate.token.field", "a field of a body that has none", `Only encode = "json" and "form" have fields.`)
	}
	if t.Header != "" {
		if wrong := conn.CheckHeader(t.Header); wrong != "" {
			p.Error("paginate.token.header", "header not allowed", wrong)
		}
	}
}

// limits are those of the way that is configured.
func (c *Paginate) limits() *Limits {
	switch {
	case c == nil:
		return &Limits{}
	case c.Token != nil:
		return &c.Token.Limits
	case c.Link != nil:
		return &c.Link.Limits
	case c.NextURL != nil:
		return &c.NextURL.Limits
	case c.Page != nil:
		return &c.Page.Limits
	}
	return &c.Offset.Limits
}
