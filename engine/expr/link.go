package expr

import (
	"net/url"
	"strings"
)

var webFunctions = map[string]*function{
	"urlEncode": {args: []kind{kText}, min: 1, result: kText, run: func(m *machine, n *callNode, a []any) any {
		m.take(3*len(a[0].(string)), n.at)
		return percentEncode(a[0].(string))
	}},
	"deeplink": {args: []kind{kText, kObject}, min: 2, result: kText, run: deeplink},
}

// percentEncode escapes all but RFC 3986's unreserved characters, so that the
// result may stand in a path as well as in a query.
func percentEncode(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// deeplink adds parameters, sorted by name, to the query of a URL. A list gives
// its parameter several times.
func deeplink(m *machine, n *callNode, a []any) any {
	base := a[0].(string)
	m.take(2*len(base), n.at)
	u, err := url.Parse(base)
	if err != nil {
		n.fail(m, "%s is not a URL", m.quote(n.ats[0]))
	}
	params := a[1].(map[string]any)
	m.sorting(len(params), n.at)
	query := strings.Builder{}
	query.WriteString(u.RawQuery)
	for _, k := range sortedKeys(params) {
		values, many := params[k].([]any)
		if !many {
			values = []any{params[k]}
		}
		for _, v := range values {
			n.parameter(m, &query, k, v)
		}
	}
	u.RawQuery = query.String()
	m.take(query.Len(), n.at)
	return u.String()
}

func (n *callNode) parameter(m *machine, query *strings.Builder, name string, v any) {
	s, ok := plainText(v)
	if !ok {
		m.fail(n.ats[1], "", "%s.%s is %s: a parameter needs text, a number or a bool", m.quote(n.ats[1]), name, kindOf(v))
	}
	m.step((len(s)+len(name))/16+1, n.at)
	m.take(6*(len(s)+len(name)+2), n.at)
	if query.Len() > 0 {
		query.WriteByte('&')
	}
	query.WriteString(percentEncode(name) + "=" + percentEncode(s))
}
