package webhook

import (
	"net/url"
	"slices"

	"github.com/syncd/syncd/engine/format"
)

// meta writes what the request says beside its body, as JSON, without what the
// sender authenticated itself with. Most requests have little of it and all have
// some: it is written straight into its encoded form.
func (x *exchange) meta() []byte {
	x.headers()
	b := append(x.first, `},"headers":{`...)
	b = append(b, x.all...)
	b = append(b, `},"method":`...)
	b = appendText(b, x.r.Method)
	b = x.appendParams(b)
	b = append(b, `,"path":`...)
	b = appendText(b, x.r.URL.Path)
	b = x.appendQuery(b)
	if x.client.IsValid() {
		b = append(b, `,"remote_ip":"`...)
		b = append(x.client.AppendTo(b), '"')
	}
	x.first = append(b, '}')
	return slices.Clone(x.first)
}

// headers writes each header's first value into first, opening meta, and the
// lists of all values into all.
func (x *exchange) headers() {
	names := append(x.names[:0], "Host") // net/http keeps it apart
	for name := range x.r.Header {
		if !x.hide[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	x.names, x.all, x.first = names, x.all[:0], append(x.first[:0], `{"header":{`...)
	opened := len(x.first)
	var host [1]string
	for _, name := range names {
		values := x.r.Header[name]
		if name == "Host" {
			host[0] = x.r.Host
			values = host[:]
		}
		if len(values) == 0 || slices.ContainsFunc(values, x.holdsSecret) {
			continue
		}
		if len(x.first) > opened {
			x.first, x.all = append(x.first, ','), append(x.all, ',')
		}
		x.header(name, values)
	}
}

func (x *exchange) header(name string, values []string) {
	from := len(x.first)
	x.first = append(appendLower(append(x.first, '"'), name), '"', ':')
	x.all = append(append(x.all, x.first[from:]...), '[')
	from = len(x.first)
	x.first = appendText(x.first, values[0])
	x.all = append(x.all, x.first[from:]...)
	for _, v := range values[1:] {
		x.all = appendText(append(x.all, ','), v)
	}
	x.all = append(x.all, ']')
}

func (x *exchange) appendParams(b []byte) []byte {
	if len(x.params) == 0 {
		return b
	}
	b = append(b, `,"params":{`...)
	for i, name := range x.params {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, name), ':')
		b = appendText(b, x.r.PathValue(name))
	}
	return append(b, '}')
}

// appendQuery writes the query's parameters; one that comes more than once has a
// list. Those that cannot be decoded are left out.
func (x *exchange) appendQuery(b []byte) []byte {
	if x.r.URL.RawQuery == "" {
		return b
	}
	query, _ := url.ParseQuery(x.r.URL.RawQuery)
	object := make(map[string]any, len(query))
	for name, values := range query {
		switch {
		case slices.ContainsFunc(x.traces, func(t traces) bool { return t.query != "" && t.query == name }):
		case x.holdsSecret(name), slices.ContainsFunc(values, x.holdsSecret):
		case len(values) == 1:
			object[name] = values[0]
		default:
			object[name] = values
		}
	}
	b = append(b, `,"query":`...)
	b, _ = format.AppendJSON(b, object) // strings: it cannot fail
	return b
}

// appendText writes s in quotes. Nearly all such text is plain and needs no escapes.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			b, _ = format.AppendJSON(b, s) // a string: it cannot fail
			return b
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// appendLower writes a header's name, which is a token (RFC 9110, section 5.6.2)
// and so needs no escapes.
func appendLower(b []byte, name string) []byte {
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}
