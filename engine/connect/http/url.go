package http

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// target puts together what belongs to every request and what belongs to this one.
func (c *Client) target(r *Request) (target, error) {
	if r.URL != "" {
		return c.absolute(r)
	}
	path, query, _ := strings.Cut(r.Path, "?")
	u := *c.reach.home
	u.RawQuery = joinQuery(joinQuery(c.query, query), r.Query)
	if path == "" {
		return target{&u, true}, nil
	}
	escaped := strings.TrimSuffix(c.reach.home.EscapedPath(), "/") + "/" + escapePath(strings.TrimPrefix(path, "/"))
	if strings.IndexByte(escaped, '%') < 0 {
		u.Path, u.RawPath = escaped, ""
		return target{&u, true}, nil
	}
	plain, err := url.PathUnescape(escaped)
	if err != nil {
		return target{}, fmt.Errorf("parse path: %w", err)
	}
	u.Path, u.RawPath = plain, escaped
	return target{&u, true}, nil
}

// absolute checks a URL that comes from outside, and adds what base_url and auth have
// in the query of every request, unless it is there.
func (c *Client) absolute(r *Request) (target, error) {
	u, err := url.Parse(r.URL)
	if err != nil {
		return target{}, fmt.Errorf("parse URL: %w", errNoURL)
	}
	if wrong := c.reach.check(u); wrong != "" {
		return target{}, errors.New(wrong)
	}
	u.Fragment, u.RawFragment = "", ""
	u.RawQuery = joinQuery(u.RawQuery, r.Query)
	home := c.reach.isHome(u)
	if home {
		u.RawQuery = addMissing(u.RawQuery, c.query)
	}
	return target{u, home}, nil
}

// public is u without the key that auth has in the query.
func (c *Client) public(u *url.URL) string {
	if c.queryKey == "" || u.RawQuery == "" {
		return u.String()
	}
	shown := *u
	shown.RawQuery = strings.Join(slices.DeleteFunc(strings.Split(u.RawQuery, "&"), func(pair string) bool {
		_, value, _ := strings.Cut(pair, "=")
		value, err := url.QueryUnescape(value)
		return err == nil && value == c.queryKey
	}), "&")
	return shown.String()
}

// addMissing adds those parameters of more whose names query lacks.
func addMissing(query, more string) string {
	if more == "" {
		return query
	}
	names := map[string]bool{}
	for pair := range strings.SplitSeq(query, "&") {
		names[parameter(pair)] = true
	}
	for pair := range strings.SplitSeq(more, "&") {
		if !names[parameter(pair)] {
			query = joinQuery(query, pair)
		}
	}
	return query
}

// parameter is the name in name=value.
func parameter(pair string) string {
	name, _, _ := strings.Cut(pair, "=")
	plain, err := url.QueryUnescape(name)
	if err != nil {
		return name
	}
	return plain
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

// URL is where r goes, without a key that auth puts into the query; "" if it cannot go.
func (c *Client) URL(r *Request) string {
	to, err := c.target(r)
	if err != nil {
		return ""
	}
	return c.public(to.url)
}
