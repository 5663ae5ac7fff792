package poll

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	nethttp "net/http"
	"net/url"
	"slices"
	"strings"

	conn "github.com/syncd/syncd/engine/connect/http"
	"github.com/syncd/syncd/engine/connect/scrub"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/format"
)

// asker makes requests.
type asker struct {
	cfg    *Config
	client *conn.Client
	header nethttp.Header // what every request sends
	query  []string       // names, sorted
	scrub  scrub.Scrubber
}

func newAsker(cfg *Config, client *conn.Client) asker {
	a := asker{cfg: cfg, client: client, header: client.Header(), query: slices.Sorted(maps.Keys(cfg.Request.Query))}
	if a.header.Get("Accept") == "" {
		a.header.Set("Accept", "application/json, */*;q=0.5")
	}
	var secrets []string
	for name, t := range cfg.Request.Headers {
		if text, ok := t.Literal(); ok {
			secrets = append(secrets, conn.HeaderSecrets(name, text)...)
		}
		secrets = append(secrets, t.Secrets()...)
	}
	for _, t := range cfg.Request.Query {
		if text, ok := t.Literal(); ok {
			secrets = append(secrets, text)
		}
		secrets = append(secrets, t.Secrets()...)
	}
	a.scrub = client.Scrubber(secrets)
	return a
}

// request is the one for the page at p.
func (a *asker) request(p *progress) (*conn.Request, error) {
	in := &expr.Input{Cursor: p.Cursor.v}
	r := &conn.Request{Method: a.cfg.Request.Method, Header: a.header.Clone()}
	if err := a.fillHeaders(r.Header, in); err != nil {
		return nil, err
	}
	link, isLink := a.link(p)
	if isLink {
		r.URL = link
	} else if err := a.fillPlace(r, p, in); err != nil {
		return nil, err
	}
	return r, a.fillBody(r, p, in)
}

// link is the URL that an answer gave for this page, if one did.
func (a *asker) link(p *progress) (string, bool) {
	page, cursor := a.cfg.Paginate, a.cfg.Cursor
	switch {
	case p.At.v != nil && page != nil && (page.Link != nil || page.NextURL != nil):
		url, ok := p.At.v.(string)
		return url, ok
	case cursor != nil && cursor.As == "url":
		url, ok := p.Cursor.v.(string)
		return url, ok
	}
	return "", false
}

func (a *asker) fillHeaders(h nethttp.Header, in *expr.Input) error {
	for name, t := range a.cfg.Request.Headers {
		value, err := t.Eval(in)
		if err != nil {
			return fmt.Errorf("fill header %s: %w", name, err)
		}
		h.Set(name, value)
	}
	return nil
}

func (a *asker) fillPlace(r *conn.Request, p *progress, in *expr.Input) (err error) {
	if r.Path, err = a.cfg.Request.Path.Eval(in); err != nil {
		return fmt.Errorf("fill path: %w", err)
	}
	own := a.cfg.Paginate.parameters(p)
	var q []string
	for _, name := range a.query {
		if _, ok := own[name]; ok {
			continue
		}
		value, err := a.cfg.Request.Query[name].Eval(in)
		if err != nil {
			return fmt.Errorf("fill query parameter %s: %w", name, err)
		}
		if value != "" {
			q = append(q, url.QueryEscape(name)+"="+url.QueryEscape(value))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(own)) {
		q = append(q, url.QueryEscape(name)+"="+url.QueryEscape(own[name]))
	}
	r.Query = strings.Join(q, "&")
	if c := a.cfg.Paginate; c != nil && c.Token != nil && c.Token.Header != "" && p.At.v != nil {
		r.Header.Set(c.Token.Header, scalar(p.At.v))
	}
	return nil
}

var encodings = map[string]struct {
	contentType string
	append      func(dst []byte, v any) ([]byte, error)
}{
	"json": {"application/json", format.AppendJSON},
	"form": {"application/x-www-form-urlencoded", format.AppendForm},
	"xml":  {"application/xml; charset=utf-8", format.AppendXML},
	"text": {"text/plain; charset=utf-8", func(dst []byte, v any) ([]byte, error) {
		s, err := format.Scalar(v)
		return append(dst, s...), err
	}},
}

func (a *asker) fillBody(r *conn.Request, p *progress, in *expr.Input) error {
	if !a.cfg.Request.Body.IsSet() {
		return nil
	}
	v, err := a.cfg.Request.Body.Eval(in)
	if err != nil {
		return fmt.Errorf("compute body: %w", err)
	}
	if c := a.cfg.Paginate; c != nil && c.Token != nil && c.Token.Field != "" && p.At.v != nil {
		if v, err = with(v, strings.Split(c.Token.Field, "."), p.At.v); err != nil {
			return fmt.Errorf("put the page's token into the body: %w", err)
		}
	}
	enc := encodings[a.cfg.Request.Encode]
	if r.Body, err = enc.append(nil, v); err != nil {
		return fmt.Errorf("encode body: %w", err)
	}
	if r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", enc.contentType)
	}
	return nil
}

// with is object with the field at path set to v.
func with(object any, path []string, v any) (any, error) {
	if len(path) == 0 {
		return v, nil
	}
	m, ok := object.(map[string]any)
	if !ok && object != nil {
		return nil, fmt.Errorf("%s stands where %s would be a field", describe(object), path[0])
	}
	m = maps.Clone(m)
	if m == nil {
		m = map[string]any{}
	}
	inner, err := with(m[path[0]], path[1:], v)
	m[path[0]] = inner
	return m, err
}

// parameters are those of the query that say which page it is.
func (c *Paginate) parameters(p *progress) map[string]string {
	own := map[string]string{}
	switch {
	case c == nil:
	case c.Token != nil && c.Token.Query != "" && p.At.v != nil:
		own[c.Token.Query] = scalar(p.At.v)
	case c.Page != nil:
		own[c.Page.Query] = fmt.Sprint(c.Page.Start)
		if p.At.v != nil {
			own[c.Page.Query] = scalar(p.At.v)
		}
	case c.Offset != nil:
		own[c.Offset.LimitQuery] = fmt.Sprint(c.Offset.Size)
		own[c.Offset.Query] = "0"
		if p.At.v != nil {
			own[c.Offset.Query] = scalar(p.At.v)
		}
	}
	return own
}

// scalar is a token as text; it has been checked to be one.
func scalar(v any) string {
	s, _ := format.Scalar(v)
	return s
}

// digest tells requests apart, and by how what they are answered with is read.
func (a *asker) digest(r *conn.Request, how ...any) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q\n%s\n%s\n%s", how, r.Method, a.url(r), r.Body)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// url is where r goes, as it may be shown.
func (a *asker) url(r *conn.Request) string {
	if r.URL != "" {
		return r.URL
	}
	return a.client.URL(r)
}
