package webhook

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
)

func TestValidate(t *testing.T) {
	key := component.NewSecret("k")
	none := []Verify{{None: &None{}}}
	tests := []struct {
		name      string
		configure func(*Config)
		want      []component.Problem
	}{
		{"fine", func(c *Config) { c.Verify = none }, nil},
		{"pattern", func(c *Config) { c.Path, c.Verify = "/hooks/{store}/{rest...}", none }, nil},
		{"no verify", func(c *Config) {}, []component.Problem{{Warning: true, Summary: "anyone can send to this webhook", Detail: `Nothing shows who sent a request. Add a verify block; verify "none" {} says that this is meant.`}}},
		{"none beside others", func(c *Config) {
			c.Verify = []Verify{{Bearer: &Bearer{Token: key}}, {None: &None{}}}
		}, []component.Problem{{Attr: "verify[1].none", Summary: `verify "none" beside others`, Detail: "Any one of them suffices, so that nothing would be verified. Take it out, or the others."}}},
		{"empty secrets", func(c *Config) {
			c.Verify = []Verify{{HMAC: &HMAC{}}, {GitHub: &GitHub{}}, {Bearer: &Bearer{}}, {Basic: &Basic{}}, {APIKey: &APIKey{Query: "k"}}}
		}, []component.Problem{
			{Attr: "verify[0].hmac.secret"}, {Attr: "verify[1].github.secret"}, {Attr: "verify[2].bearer.token"},
			{Attr: "verify[3].basic.password"}, {Attr: "verify[4].api_key.value"},
		}},
		{"key nowhere", func(c *Config) { c.Verify = []Verify{{APIKey: &APIKey{Value: key}}} }, []component.Problem{{Attr: "verify[0].api_key", Summary: "header or query", Detail: "Exactly one of them says where the key is sent."}}},
		{"key twice", func(c *Config) { c.Verify = []Verify{{APIKey: &APIKey{Header: "a", Query: "b", Value: key}}} }, []component.Problem{{Attr: "verify[0].api_key", Summary: "header or query", Detail: "Exactly one of them says where the key is sent."}}},
		{"path without slash", func(c *Config) { c.Path, c.Verify = "hook", none }, []component.Problem{{Attr: "path", Summary: "a path begins with a slash", Detail: `Write "/hook".`}}},
		{"URL", func(c *Config) { c.Path, c.Verify = "https://example.com/hook?a=b", none }, []component.Problem{{Attr: "path", Summary: "a URL where a path belongs", Detail: `Host and port are the listener's. Write "/hook".`}}},
		{"method", func(c *Config) { c.Path, c.Verify = "PUT /hook", none }, []component.Problem{{Attr: "path", Summary: "a method in the path", Detail: `Write path = "/hook" and methods = ["PUT"].`}}},
		{"colon", func(c *Config) { c.Path, c.Verify = "/hook/:shop/:id", none }, []component.Problem{{Warning: true, Attr: "path", Summary: "a colon is text in a path", Detail: `If a parameter is meant, write "/hook/{shop}/{id}".`}}},
		{"template", func(c *Config) { c.Path, c.Verify = "/hook/{{ body.x }}", none }, []component.Problem{{Attr: "path", Summary: "{{ in a path that is listened on", Detail: "A part that differs from request to request is a parameter: /hooks/{shop}. Expressions see it as meta.params.shop."}}},
		{"broken pattern", func(c *Config) { c.Path, c.Verify = "/{a}/{a}", none }, []component.Problem{{Attr: "path", Summary: "not a path pattern", Detail: `parsing "POST /{a}/{a}": at offset 10: duplicate wildcard name "a"`}}},
		{"methods", func(c *Config) { c.Methods, c.Verify = []string{"PUT", "PUT"}, none }, []component.Problem{{Attr: "methods[1]", Summary: "PUT is there twice", Detail: "Once is enough."}}},
		{"no method", func(c *Config) { c.Methods, c.Verify = nil, none }, []component.Problem{{Attr: "methods", Summary: "no method is taken", Detail: `Leave the attribute out for ["POST"].`}}},
		{"accept", func(c *Config) { c.Accept, c.Verify = []string{"*/*", "pdf"}, none }, []component.Problem{{Attr: "accept[1]", Summary: "not a content type", Detail: `Write "application/pdf", "image/*" or "*/*".`}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newConfig()
			c.Path = "/hook"
			test.configure(c)
			var p component.Problems
			c.Validate(&p)
			if test.name == "empty secrets" {
				for i := range p.List {
					p.List[i].Summary, p.List[i].Detail = "", ""
				}
			}
			if diff := cmp.Diff(test.want, p.List); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestClaims(t *testing.T) {
	c := newConfig()
	c.Path, c.Methods = "/a/{store}/b/{rest...}", []string{"POST", "PUT"}
	c.Listener.Address = "listener.http.public"
	want := []component.Claim{
		{Attr: "path", What: "POST /a/{}/b/{...} on listener.http.public"},
		{Attr: "path", What: "PUT /a/{}/b/{...} on listener.http.public"},
	}
	if diff := cmp.Diff(want, c.Claims()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"store", "rest"}, parameters(c.Path)); diff != "" {
		t.Error(diff)
	}
	if got := parameters("/a/{$}"); got != nil {
		t.Errorf("%v", got)
	}
}
