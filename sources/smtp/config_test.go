package smtp

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
)

func secret(s string) component.Secret { return component.NewSecret(s) }

func TestValidate(t *testing.T) {
	tests := []struct {
		change func(*Config)
		want   string // "": nothing to say
	}{
		{func(*Config) {}, ""},
		{func(c *Config) { c.Address = "25" }, "address: not an address to listen on"},
		{func(c *Config) { c.Recipients = nil }, "recipients: no recipient"},
		{func(c *Config) { c.Recipients = []string{"orders"} }, "recipients[0]: not a recipient"},
		{func(c *Config) { c.Recipients = []string{"*@x.example"} }, "recipients[0]: not a recipient"},
		{func(c *Config) { c.Recipients = []string{"{A}@x.example"} }, "recipients[0]: not a recipient"},
		{func(c *Config) { c.Recipients = []string{"{a}{b}@x.example"} }, "recipients[0]: not a recipient"},
		{func(c *Config) { c.Recipients = []string{"{a@x.example"} }, "recipients[0]: not a recipient"},
		{func(c *Config) { c.Recipients = []string{"a@x.example", "a@x.example"} }, "recipients[1]: a@x.example is there twice"},
		{func(c *Config) { c.AllowFrom = []string{"partner.example"} }, "allow_from[0]: not an address"},
		{func(c *Config) { c.Address = "0.0.0.0:25" }, ": anyone can mail to this source"},
		{func(c *Config) { c.Address = "0.0.0.0:25"; c.Require = []string{"dkim"} }, ""},
		{func(c *Config) { c.Address = "0.0.0.0:25"; c.Auth = []Auth{{"a", secret("b")}} }, "auth[0]: passwords without TLS"},
		{func(c *Config) { c.Auth = []Auth{{"a", secret("b")}, {"a", secret("c")}} }, "auth[1].user: a is there twice"},
		{func(c *Config) { c.Auth = []Auth{{"a", secret("")}} }, "auth[0].password: the password is empty"},
		{func(c *Config) { c.Require, c.Authenticate = []string{"spf"}, false }, "authenticate: require without authenticate"},
	}
	for _, test := range tests {
		c := newConfig()
		c.Recipients = []string{"orders@in.example.com"}
		test.change(c)
		var p component.Problems
		c.Validate(&p)
		var got []string
		for _, one := range p.List {
			got = append(got, one.Attr+": "+one.Summary)
		}
		if strings.Join(got, "\n") != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

func TestPatterns(t *testing.T) {
	p, err := newPattern("{shop}-orders+{token}@{host}.example.com")
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]map[string]any{
		"acme-Orders+a.B@IN.example.com":  {"shop": "acme", "token": "a.B", "host": "IN"},
		"acme-orders+@in.example.com":     nil,
		"acme-orders+x@in.example.com.x":  nil,
		"acme-orders+x@inXexampleXcom":    nil,
		"a-orders+x@y@in.example.com":     nil,
		"a-orders+x\n@in.example.com":     nil,
		"xa-orders+x@in.example.com\r\n.": nil,
	} {
		params, ok := p.params(address)
		if diff := cmp.Diff(want, params); diff != "" || ok != (want != nil) {
			t.Errorf("%q: %v %s", address, ok, diff)
		}
	}
}

// What peers write is never more than the pattern leaves open.
func FuzzRecipient(f *testing.F) {
	f.Add("orders+a@in.example.com")
	f.Add("orders+@in.example.com")
	p, err := newPattern("orders+{token}@in.example.com")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, address string) {
		params, ok := p.params(address)
		if !ok {
			return
		}
		token := params["token"].(string)
		if !strings.EqualFold(address, "orders+"+token+"@in.example.com") || strings.Contains(token, "@") {
			t.Errorf("%q gives %v", address, params)
		}
	})
}
