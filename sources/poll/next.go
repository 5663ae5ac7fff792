package poll

import (
	"fmt"
	"strings"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

// style is the way's name; it belongs to a place, which another way would not understand.
func (c *Paginate) style() string {
	switch {
	case c == nil:
		return ""
	case c.Token != nil:
		return "token"
	case c.Link != nil:
		return "link"
	case c.NextURL != nil:
		return "next_url"
	case c.Page != nil:
		return "page"
	}
	return "offset"
}

// follows is how an answer tells of the next page.
func (c *Paginate) follows() []any {
	limits := c.limits()
	how := []any{c.style(), limits.MaxPages, limits.Stop.Text()}
	switch {
	case c == nil:
	case c.Token != nil:
		how = append(how, c.Token.Next.Text())
	case c.NextURL != nil:
		how = append(how, c.NextURL.Next.Text())
	case c.Page != nil:
		how = append(how, c.Page.Size)
	}
	return how
}

// handed tells whether the places of pages are the server's own, which it may forget.
func (c *Paginate) handed() bool { return c != nil && c.Page == nil && c.Offset == nil }

// next finds out where the page that follows is; nil: there is none.
func (r *run) next(a *answer) (any, error) {
	in := &expr.Input{Response: a.response()}
	at, err := r.follows(a, in)
	if err != nil || at == nil {
		return nil, err
	}
	limits := r.cfg.Paginate.limits()
	if limits.Stop.IsSet() {
		stop, err := limits.Stop.Bool(in)
		if err != nil {
			return nil, fmt.Errorf("stop: %w", err)
		}
		if stop {
			return nil, nil
		}
	}
	if limits.MaxPages > 0 && r.progress.Page >= limits.MaxPages {
		r.log.Debug("max_pages is reached", "pages", r.progress.Page)
		return nil, nil
	}
	return at, nil
}

// follows is what the answer says of the next page.
func (r *run) follows(a *answer, in *expr.Input) (any, error) {
	c := r.cfg.Paginate
	switch {
	case c == nil:
		return nil, nil
	case c.Token != nil:
		return token(c.Token.Next, in)
	case c.Link != nil:
		return r.resolve(a, linkNext(a.stream.Header.Values("Link")))
	case c.NextURL != nil:
		v, err := token(c.NextURL.Next, in)
		if v == nil || err != nil {
			return nil, err
		}
		return r.resolve(a, scalar(v))
	case a.count == 0:
		return nil, nil
	case c.Page != nil:
		if a.count < int64(c.Page.Size) {
			return nil, nil
		}
		return place(r.progress.At, c.Page.Start) + 1, nil
	}
	return place(r.progress.At, 0) + a.count, nil
}

// place is a page's number or offset.
func place(at value, first int64) int64 {
	if n, ok := at.v.(int64); ok {
		return n
	}
	return first
}

// token evaluates next; nil: there is no further page.
func token(next expr.Expr, in *expr.Input) (any, error) {
	v, err := next.Eval(in)
	switch v := v.(type) {
	case nil:
	case string:
		if v != "" {
			return v, nil
		}
	case bool:
		if v {
			return nil, fmt.Errorf("next: it is true, which is no token")
		}
	case []any, map[string]any:
		return nil, fmt.Errorf("next: it is %s, which is no token", describe(v))
	default:
		return normal(v), nil
	}
	if err != nil {
		return nil, fmt.Errorf("next: %w", err)
	}
	return nil, nil
}

func (r *run) resolve(a *answer, ref string) (any, error) {
	if ref == "" {
		return nil, nil
	}
	url, err := r.client.Resolve(a.stream.URL, ref)
	if err != nil {
		return nil, component.Permanent(err)
	}
	return url, nil
}

// linkNext is the target of rel=next in Link headers (RFC 8288), "" if there is none.
func linkNext(headers []string) string {
	for _, header := range headers {
		for header != "" {
			target, rel, rest := cutLink(header)
			for name := range strings.FieldsSeq(rel) {
				if strings.EqualFold(name, "next") {
					return target
				}
			}
			header = rest
		}
	}
	return ""
}

// cutLink takes the first link off a header.
func cutLink(header string) (target, rel, rest string) {
	_, header, ok := strings.Cut(header, "<")
	if !ok {
		return "", "", ""
	}
	target, header, ok = strings.Cut(header, ">")
	if !ok {
		return "", "", ""
	}
	for {
		header = strings.TrimLeft(header, " \t;")
		if header == "" || header[0] == ',' {
			return strings.TrimSpace(target), rel, strings.TrimPrefix(header, ",")
		}
		var name, value string
		name, value, header = cutParameter(header)
		if rel == "" && strings.EqualFold(name, "rel") { // the first counts
			rel = value
		}
	}
}

// cutParameter takes name=value, or name="value", off a link. It takes something off
// in any case.
func cutParameter(s string) (name, value, rest string) {
	end := strings.IndexAny(s, "=;,")
	if end < 0 {
		return s, "", ""
	}
	name = strings.TrimSpace(s[:end])
	if s[end] != '=' {
		return name, "", s[end:]
	}
	s = strings.TrimLeft(s[end+1:], " \t")
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, ";,")
		if end < 0 {
			return name, strings.TrimSpace(s), ""
		}
		return name, strings.TrimSpace(s[:end]), s[end:]
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return name, b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return name, b.String(), ""
}
