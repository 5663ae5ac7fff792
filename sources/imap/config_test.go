package imap

import (
	"strings"
	"testing"

	"github.com/syncd/syncd/engine/component"
)

func TestValidate(t *testing.T) {
	after := func(a After) func(*Config) { return func(c *Config) { c.After = &a } }
	tests := []struct {
		change func(*Config)
		want   string // "": nothing to say
	}{
		{func(*Config) {}, ""},
		{func(c *Config) { c.Mailboxes = []string{"a", "b"} }, ""},
		{func(c *Config) { c.Mailbox, c.Mailboxes = "a", []string{"b"} }, "mailboxes: both mailbox and mailboxes"},
		{func(c *Config) { c.Mailboxes = []string{"inbox", "INBOX"} }, "mailboxes[1]: INBOX is there twice"},
		{func(c *Config) { c.Mailboxes = []string{""} }, "mailboxes[0]: no mailbox"},
		{func(c *Config) { c.Mailbox = "" }, "mailbox: no mailbox"},
		{func(c *Config) { c.Match.Since = "1.11.2026" }, "match.since: not a day"},
		{func(c *Config) { c.Require = []string{"dkim"} }, "require: require without trusted_results"},
		{func(c *Config) { c.Require, c.Trusted = []string{"dkim"}, "mx.example.com" }, ""},
		{after(After{Move: "a", Delete: true}), "after.delete: both move and delete"},
		{after(After{Move: "Inbox"}), "after.move: a mailbox that is read"},
		{after(After{Failed: "INBOX"}), "after.failed: a mailbox that is read"},
		{after(After{Move: "a", Failed: "b"}), ""},
	}
	for _, test := range tests {
		c := newConfig()
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

func TestActions(t *testing.T) {
	yes, no := true, false
	for _, c := range []struct {
		after        *After
		done, failed action
	}{
		{nil, action{seen: true}, action{}},
		{&After{}, action{seen: true}, action{}},
		{&After{Seen: &no}, action{}, action{}},
		{&After{Move: "a"}, action{move: "a"}, action{}},
		{&After{Move: "a", Seen: &yes}, action{move: "a", seen: true}, action{}},
		{&After{Delete: true, Seen: &yes}, action{delete: true}, action{}},
		{&After{Failed: "b"}, action{seen: true}, action{move: "b"}},
	} {
		config := newConfig()
		config.After = c.after
		if done, failed := config.onDone(), config.onFailed(); done != c.done || failed != c.failed {
			t.Errorf("%+v: %+v, %+v", c.after, done, failed)
		}
	}
}

func FuzzUIDs(f *testing.F) {
	for _, text := range []string{"", "1", "1:3,7", "4294967295", "0", "3:1", "1,,2", "*"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var u, again uids
		if u.UnmarshalText([]byte(text)) != nil {
			return
		}
		written, err := u.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		if err := again.UnmarshalText(written); err != nil || again.String() != u.String() {
			t.Errorf("%q became %q: %v", text, written, err)
		}
	})
}
