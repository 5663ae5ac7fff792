// Package webhook is the source that takes HTTP requests: one request is one
// event, answered with 202 once it is on disk.
package webhook

import (
	_ "embed"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/listen"
)

//go:embed page.md
var page string

// Kind declares source "webhook".
func Kind() component.Kind {
	return component.SourceKind("webhook", "Takes HTTP requests: one request is one event.", newConfig, open).WithPage(page)
}

// Config is the block of a webhook.
type Config struct {
	Path      string         `hcl:"path,required" doc:"The path of the URL; {store} stands for one segment, which is then meta.params.store, {rest...} for all that follow." example:"\"/hooks/orders\""`
	Methods   []string       `hcl:"methods" doc:"The methods that it takes; others get 405." enum:"POST|PUT|PATCH|DELETE|GET|HEAD|OPTIONS"`
	Listener  component.Ref  `hcl:"listener" ref:"listener.http" doc:"The listener that serves it; not needed when there is only one."`
	MaxBody   component.Size `hcl:"max_body" min:"1B" doc:"The largest body, also once decompressed; a larger one gets 413."`
	Accept    []string       `hcl:"accept" doc:"Content types beyond JSON, NDJSON, CSV, forms (with files, too), XML and text; their bodies come as base64, and all others get 415." example:"[\"application/pdf\", \"image/*\"]"`
	AllowIPs  []netip.Prefix `hcl:"allow_ips" doc:"Addresses and networks that may send; others get 403." example:"[\"10.0.0.0/8\"]"`
	RateLimit component.Rate `hcl:"rate_limit" doc:"More requests than this, of all senders together, get 429." example:"\"100/s\""`
	Verify    []Verify       `hcl:"verify,oneof" doc:"How a sender shows who it is; of several, any one suffices."`
}

func newConfig() *Config {
	return &Config{Methods: []string{"POST"}, MaxBody: 5 << 20}
}

// Validate checks what tags cannot say.
func (c *Config) Validate(p *component.Problems) {
	c.validateRoute(p)
	for i, a := range c.Accept {
		if typ, sub, ok := strings.Cut(a, "/"); !ok || typ == "" || sub == "" {
			p.Error(fmt.Sprintf("accept[%d]", i), "not a content type", `Write "application/pdf", "image/*" or "*/*".`)
		}
	}
	for i, v := range c.Verify {
		v.validate(p, fmt.Sprintf("verify[%d]", i))
		if v.None != nil && len(c.Verify) > 1 {
			p.Error(fmt.Sprintf("verify[%d].none", i), `verify "none" beside others`, "Any one of them suffices, so that nothing would be verified. Take it out, or the others.")
		}
	}
	if len(c.Verify) == 0 {
		p.Warn("", "anyone can send to this webhook", `Nothing shows who sent a request. Add a verify block; verify "none" {} says that this is meant.`)
	}
}

func (c *Config) validateRoute(p *component.Problems) {
	if len(c.Methods) == 0 {
		p.Error("methods", "no method is taken", `Leave the attribute out for ["POST"].`)
	}
	seen := map[string]bool{}
	for i, m := range c.Methods {
		if seen[m] {
			p.Error(fmt.Sprintf("methods[%d]", i), m+" is there twice", "Once is enough.")
		}
		seen[m] = true
	}
	if summary, detail := misreadPath(c.Path); summary != "" {
		p.Error("path", summary, detail)
	} else if err := listen.CheckPattern("POST " + c.Path); err != nil {
		p.Error("path", "not a path pattern", err.Error())
	} else if colonParameter.MatchString(c.Path) {
		p.Warn("path", "a colon is text in a path", fmt.Sprintf("If a parameter is meant, write %q.", colonParameter.ReplaceAllString(c.Path, "/{$1}")))
	}
}

// misreadPath recognises paths that were meant in another way: "" for both if it is none.
func misreadPath(path string) (summary, detail string) {
	method, rest, spaced := strings.Cut(path, " ")
	u, err := url.Parse(path)
	switch {
	case strings.Contains(path, "{{"):
		return "{{ in a path that is listened on", "A part that differs from request to request is a parameter: /hooks/{shop}. Expressions see it as meta.params.shop."
	case spaced && slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}, method):
		return "a method in the path", fmt.Sprintf("Write path = %q and methods = [%q].", rest, method)
	case err == nil && u.Host != "":
		return "a URL where a path belongs", fmt.Sprintf("Host and port are the listener's. Write %q.", "/"+strings.TrimPrefix(u.Path, "/"))
	case !strings.HasPrefix(path, "/"):
		return "a path begins with a slash", fmt.Sprintf("Write %q.", "/"+path)
	}
	return "", ""
}

// colonParameter is a parameter as other programs write it.
var colonParameter = regexp.MustCompile(`/:(\w+)`)

// Claims are its methods on its path: no other source of the listener may have them.
func (c *Config) Claims() []component.Claim {
	listener := string(c.Listener.Address)
	if listener == "" {
		listener = "the listener"
	}
	claims := make([]component.Claim, len(c.Methods))
	for i, m := range c.Methods {
		claims[i] = component.Claim{Attr: "path", What: m + " " + anonymous(c.Path) + " on " + listener}
	}
	return claims
}

// anonymous takes the names out of a pattern's parameters: they match the same
// requests whatever they are called.
func anonymous(pattern string) string {
	segments := strings.Split(pattern, "/")
	for i, s := range segments {
		switch {
		case !strings.HasPrefix(s, "{") || s == "{$}":
		case strings.HasSuffix(s, "...}"):
			segments[i] = "{...}"
		default:
			segments[i] = "{}"
		}
	}
	return strings.Join(segments, "/")
}

// parameters are the names of a pattern's parameters.
func parameters(pattern string) []string {
	var names []string
	for s := range strings.SplitSeq(pattern, "/") {
		if name, ok := strings.CutPrefix(s, "{"); ok && s != "{$}" {
			names = append(names, strings.TrimSuffix(strings.TrimSuffix(name, "}"), "..."))
		}
	}
	return names
}
