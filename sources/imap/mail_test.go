package imap

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/mail/dovecottest"
)

// retry does to the dead letters of a source what the engine does.
func retry(t testing.TB, r *running, m *memory) (component.Draft, error) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range m.drafts {
		if d.Fault != nil {
			meta, err := json.Marshal(d.Meta)
			if err != nil {
				t.Fatal(err)
			}
			return r.Parse(component.Draft{Raw: d.Raw, RawMeta: meta, Fault: d.Fault})
		}
	}
	t.Fatal("there is no dead letter")
	return component.Draft{}, nil
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	for _, failed := range []string{"", "Refused"} {
		d, at := dovecot(t, dovecottest.Options{})
		c := client(t, d)
		large := letter("large") + strings.Repeat(strings.Repeat("x", 98)+"\r\n", 100)
		put(t, c, "INBOX", letter("one"), large, letter("two"))
		m := newMemory()
		small := func(c *Config) { c.MaxMessage, c.After = 5000, &After{Failed: failed} }
		r := run(t, at, m, small)
		r.settled(m, "INBOX", 3)
		want := []string{"one", "dead: mail 2 in INBOX: it has 10127 bytes, and max_message is 5000: with a larger one, a retry reads it", "two"}
		if diff := cmp.Diff(want, m.subjects()); diff != "" {
			t.Error(diff)
		}
		if got := string(m.drafts[1].Raw); !strings.Contains(got, "Subject: large") || strings.Contains(got, "xxx") {
			t.Errorf("of the large one, there is %q", got)
		}
		if _, err := retry(t, r, m); err == nil || !strings.Contains(err.Error(), "max_message") {
			t.Errorf("retried as it is: %v", err)
		}
		r.stop()
		in := "INBOX"
		if failed != "" {
			in = failed
		}
		if got := inMailbox(t, c, in); !strings.Contains(strings.Join(got, ","), "large") || strings.Contains(strings.Join(got, ","), "large \\Seen") {
			t.Errorf("in %s: %q", in, got)
		}
		r = run(t, at, m, func(c *Config) { c.After = &After{Failed: failed} })
		if draft, err := retry(t, r, m); err != nil || string(draft.Raw) != large {
			t.Errorf("with a larger max_message: %v, %d bytes", err, len(draft.Raw))
		}
		r.stop()
	}
}

func TestRequire(t *testing.T) {
	t.Parallel()
	at, user := inMemory(t)
	results := func(text string) string { return "Authentication-Results: " + text + "\r\n" }
	deliver(t, user, "INBOX",
		letter("good", results("mx.example.com; dkim=pass header.d=partner.example; spf=fail smtp.mailfrom=x@partner.example")),
		letter("none"),
		letter("other-server", results("mx.evil.example; dkim=pass header.d=partner.example")),
		letter("other-domain", results("mx.example.com; dkim=pass header.d=evil.example")),
		letter("forged", results("mx.example.com; dkim=none"), results("mx.example.com; dkim=pass header.d=partner.example")),
	)
	m := newMemory()
	r := run(t, at, m, func(c *Config) { c.Trusted, c.Require = "mx.example.com", []string{"dkim"} })
	r.settled(m, "INBOX", 1)
	if got := m.turned(); got != 4 {
		t.Errorf("%d refused", got)
	}
	want := map[string]any{"spf": "fail", "spf_domain": "partner.example", "dkim": "pass", "dkim_domains": []any{"partner.example"}, "dmarc": "none", "aligned": []any{"dkim"}}
	if diff := cmp.Diff(want, m.drafts[0].Meta["mail"].(map[string]any)["auth"]); diff != "" {
		t.Error(diff)
	}
	if note := r.Report().Note; !strings.Contains(note, "last refused mail 5 in INBOX: no good DKIM signature") {
		t.Errorf("note: %q", note)
	}
}

func TestMeta(t *testing.T) {
	t.Parallel()
	at, user := inMemory(t)
	deliver(t, user, "INBOX", letter("one", "X-Shop: 7\r\nAuto-Submitted: auto-replied\r\n"))
	m := newMemory()
	run(t, at, m, nil).settled(m, "INBOX", 1)
	about := m.drafts[0].Meta["mail"].(map[string]any)
	if got := about["header"].(map[string]any)["x-shop"]; got != "7" || about["kind"] != "auto_reply" || about["mailbox"] != "INBOX" || about["uid"] != int64(1) {
		t.Errorf("%v", about)
	}
}

func TestReadOnlyMailbox(t *testing.T) {
	t.Parallel()
	d, at := dovecot(t, dovecottest.Options{ReadOnly: "Shared"})
	c := client(t, d)
	put(t, c, "Shared", letter("one"))
	yes := true
	for name, after := range map[string]*After{"none": nil, "nothing": {Seen: new(bool)}, "delete": {Delete: true}, "move": {Move: "Processed"}, "seen": {Seen: &yes}} {
		m := newMemory()
		r := run(t, at, m, func(c *Config) { c.Mailbox, c.After = "Shared", after })
		if name == "none" || name == "nothing" {
			r.settled(m, "Shared", 1)
		} else {
			until(t, "it is read, and what fails is told", func() bool {
				return len(m.subjects()) == 1 && strings.Contains(r.Report().Error, "after fails")
			})
		}
		r.stop()
		if diff := cmp.Diff([]string{"one"}, inMailbox(t, c, "Shared")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestCheckpoint(t *testing.T) {
	t.Parallel()
	at, user := inMemory(t)
	deliver(t, user, "INBOX", letter("one"), letter("two"))
	m := newMemory()
	r := run(t, at, m, nil)
	if _, err := r.Checkpoint([]byte(`7`)); err == nil && m.place(t, "INBOX").Validity == 0 {
		t.Error("a mailbox that was never opened was set")
	}
	r.settled(m, "INBOX", 2)
	r.stop()
	for _, wrong := range []string{`"x"`, `{"mailbox": "INBOX"}`, `{"mailbox": "Other", "uid": 1}`, `{"uidd": 1}`, `null`, `-1`} {
		if _, err := r.Checkpoint([]byte(wrong)); err == nil {
			t.Errorf("%s was taken", wrong)
		}
	}
	far, err := r.Checkpoint([]byte(`1000`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Accept(t.Context(), component.Batch{State: far}); err != nil {
		t.Fatal(err)
	}
	beyond := run(t, at, m, nil)
	beyond.settled(m, "INBOX", 2)
	beyond.stop()
	if p := m.place(t, "INBOX"); p.UID != 2 || p.Epoch != 0 {
		t.Errorf("beyond the last one: %+v", p)
	}
	for _, value := range []string{`1`, `{"mailbox": "inbox", "uid": 1}`} {
		puts, err := r.Checkpoint([]byte(value))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Accept(t.Context(), component.Batch{State: puts}); err != nil {
			t.Fatal(err)
		}
		before := len(m.subjects())
		again := run(t, at, m, nil)
		again.settled(m, "INBOX", before+1)
		again.stop()
	}
	if diff := cmp.Diff([]string{"one", "two", "two", "two"}, m.subjects()); diff != "" {
		t.Error(diff)
	}
}
