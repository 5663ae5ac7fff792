package imap

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/connect/mail/dovecottest"
)

func dovecot(t testing.TB, o dovecottest.Options) (*dovecottest.Server, server) {
	d := dovecottest.Start(t, o)
	return d, server{host: "127.0.0.1", port: d.Port, user: dovecottest.User, password: dovecottest.Password}
}

// client is another program's connection.
func client(t testing.TB, d *dovecottest.Server) *imapclient.Client {
	c := d.Client()
	t.Cleanup(func() { c.Close() })
	return c
}

func put(t testing.TB, c *imapclient.Client, mailbox string, mails ...string) {
	t.Helper()
	for _, m := range mails {
		if err := dovecottest.Append(c, mailbox, m); err != nil {
			t.Fatal(err)
		}
	}
}

// inMailbox are subject and flags of the mails in a mailbox.
func inMailbox(t testing.TB, c *imapclient.Client, mailbox string) []string {
	t.Helper()
	if _, err := c.Select(mailbox, &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		return []string{err.Error()}
	}
	var all imap.SeqSet
	all.AddRange(1, 0)
	found, err := c.Fetch(all, &imap.FetchOptions{Envelope: true, Flags: true}).Collect()
	if err != nil {
		return nil // an empty mailbox has no 1:*
	}
	list := []string{}
	for _, m := range found {
		text := m.Envelope.Subject
		for _, f := range m.Flags {
			if f != "\\Recent" {
				text += " " + string(f)
			}
		}
		list = append(list, text)
	}
	slices.Sort(list)
	return list
}

func TestReadsAndMarks(t *testing.T) {
	t.Parallel()
	d, at := dovecot(t, dovecottest.Options{})
	c := client(t, d)
	put(t, c, "INBOX", letter("one"), letter("two"))
	m := newMemory()
	r := run(t, at, m, nil)
	r.settled(m, "INBOX", 2)
	put(t, c, "INBOX", letter("three")) // and is told of at once: every is a minute
	r.settled(m, "INBOX", 3)
	if diff := cmp.Diff([]string{"one", "two", "three"}, m.subjects()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"one \\Seen", "three \\Seen", "two \\Seen"}, inMailbox(t, c, "INBOX")); diff != "" {
		t.Error(diff)
	}
	r.stop()
	put(t, c, "INBOX", letter("four"))
	run(t, at, m, nil).settled(m, "INBOX", 4)
	if got := m.subjects()[3]; got != "four" {
		t.Errorf("after a restart: %s", got)
	}
}

func TestMoves(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"move", "copy"} {
		t.Run(name, func(t *testing.T) {
			o := dovecottest.Options{}
			if name == "copy" {
				o.Capability = "IMAP4rev1 IDLE UIDPLUS LITERAL+"
			}
			d, at := dovecot(t, o)
			c := client(t, d)
			for n := range 250 {
				put(t, c, "INBOX", letter(fmt.Sprintf("mail-%03d", n)))
			}
			m := newMemory()
			r := run(t, at, m, func(c *Config) { c.After = &After{Move: "Processed"} })
			r.settled(m, "INBOX", 250)
			if got := inMailbox(t, c, "INBOX"); len(got) != 0 {
				t.Errorf("left: %q", got)
			}
			if got := slices.Compact(inMailbox(t, c, "Processed")); len(got) != 250 {
				t.Errorf("%d were moved: %q", len(got), got)
			}
			if got := m.keys(); len(got) != 1 {
				t.Errorf("state that is of no more use: %q", got)
			}
		})
	}
}

func TestRubbish(t *testing.T) {
	t.Parallel()
	d, at := dovecot(t, dovecottest.Options{})
	c := client(t, d)
	rubbish := []string{
		"\x01\x02\xff\xfe\r\n", "\r\n", ":\r\n:\r\n", "Subject\r\n", strings.Repeat("a", 100_000) + "\r\n",
		"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n--x\r\n\r\n--x\r\n", "Subject: last\r\n\r\n",
	}
	put(t, c, "INBOX", rubbish...)
	m := newMemory()
	run(t, at, m, nil).settled(m, "INBOX", len(rubbish))
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, d := range m.drafts {
		if string(d.Raw) != rubbish[i] {
			t.Errorf("mail %d: %d bytes, want %d", i, len(d.Raw), len(rubbish[i]))
		}
	}
}
