package http

import (
	"fmt"
	"net/url"
	"strings"
)

// url puts together what belongs to every request and what belongs to this one.
func (c *Client) url(r *Request) (*url.URL, error) {
	path, query, _ := strings.Cut(r.Path, "?")
	u := *c.base
	u.RawQuery = joinQuery(joinQuery(c.query, query), r.Query)
	if path == "" {
		return &u, nil
	}
	escaped := strings.TrimSuffix(c.base.EscapedPath(), "/") + "/" + escapePath(strings.TrimPrefix(path, "/"))
	if strings.IndexByte(escaped, '%') < 0 {
		u.Path, u.RawPath = escaped, ""
		return &u, nil
	}
	plain, err := url.PathUnescape(escaped)
	if err != nil {
		return nil, fmt.Errorf("parse path: %w", err)
	}
	u.Path, u.RawPath = plain, escaped
	return &u, nil
}

func joinQuery(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "&" + b
}

// escapePath escapes what may not stand in a path (RFC 3986, section 3.3) and
// leaves the escapes that are there.
func escapePath(path string) string {
	const hex = "0123456789ABCDEF"
	var out []byte
	for i := range len(path) {
		c := path[i]
		if isPathByte(c) {
			if out != nil {
				out = append(out, c)
			}
			continue
		}
		if out == nil {
			out = append(make([]byte, 0, len(path)+16), path[:i]...)
		}
		out = append(out, '%', hex[c>>4], hex[c&15])
	}
	if out == nil {
		return path
	}
	return string(out)
}

func isPathByte(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || strings.IndexByte("/-_.~!$&'()*+,;=:@%", c) >= 0
}
