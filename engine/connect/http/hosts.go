package http

import (
	"fmt"
	"net"
	nethttp "net/http"
	"net/url"
	"slices"
	"strings"
)

// reach is where a connection may go: to the origin of base_url, which alone gets our
// credentials, and to allow_hosts.
type reach struct {
	home    *url.URL
	allowed []string // host:port, lower case; without a port, the one that the scheme implies
}

// check says in a sentence why u is out of reach, "" if it is not.
func (r *reach) check(u *url.URL) string {
	switch {
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Sprintf("%s is no http:// or https:// URL", place(u))
	case u.User != nil:
		return fmt.Sprintf("%s brings a user or password of its own", place(u))
	case r.isHome(u):
		return ""
	case u.Scheme == "http" && r.home.Scheme == "https":
		return fmt.Sprintf("%s is not https://, as base_url is", place(u))
	case !slices.Contains(r.allowed, hostPort(u)):
		return fmt.Sprintf("%s is another server than base_url's; if it is to be trusted, add %q to allow_hosts", place(u), strings.ToLower(u.Host))
	}
	return ""
}

// isHome tells whether u is of base_url's origin. The step from http:// to https:// on
// the ports that these imply leads nowhere else.
func (r *reach) isHome(u *url.URL) bool {
	if u.Scheme == r.home.Scheme {
		return hostPort(u) == hostPort(r.home)
	}
	return u.Scheme == "https" && u.Port() == "" && r.home.Port() == "" && strings.EqualFold(u.Hostname(), r.home.Hostname())
}

// hostPort is u's host and port, the latter also where u leaves it out.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), port)
}

// place is u as messages name it: without its query, which may hold what must not
// show, and not at any length.
func place(u *url.URL) string {
	const enough = 200
	text := u.Scheme + "://" + u.Host + u.EscapedPath()
	if len(text) > enough {
		text = text[:enough] + "…"
	}
	return text
}

// allowHosts reads allow_hosts for a connection whose base_url has that scheme. A
// server that speaks https:// may be reached so in any case.
func allowHosts(list []string, scheme string) (hosts []string) {
	for _, entry := range list {
		for _, s := range []string{"https", scheme} {
			hosts = append(hosts, hostPort(&url.URL{Scheme: s, Host: entry}))
		}
	}
	return hosts
}

// checkAllowed says in a sentence what is wrong with an entry of allow_hosts.
func checkAllowed(entry string) string {
	if u, err := url.Parse(entry); err == nil && u.Host != "" {
		return fmt.Sprintf("Write %q.", u.Host)
	}
	u, err := url.Parse("https://" + entry)
	switch {
	case strings.Contains(entry, "*"):
		return "Name each host; there are no patterns."
	case err != nil || u.Host != entry || u.Hostname() == "" || strings.HasSuffix(entry, ":"):
		return `Write a host, with its port if it is not the usual one: "files.example.com", "10.0.0.7:8443".`
	}
	return ""
}

// toStrangers are the headers that go to other servers than base_url's: what only
// negotiates. All others may hold credentials.
var toStrangers = []string{
	"Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Cache-Control", "Content-Type",
	"If-Modified-Since", "If-None-Match", "Range", "User-Agent",
}

func forStrangers(h nethttp.Header) nethttp.Header {
	out := nethttp.Header{}
	for _, name := range toStrangers {
		if values := h[name]; values != nil {
			out[name] = values
		}
	}
	return out
}
