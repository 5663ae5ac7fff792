package imap

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/google/go-cmp/cmp"
)

type quiet struct{}

func (quiet) Printf(string, ...any) {}

// inMemory is go-imap's server, with a user ana and her INBOX; it has no MOVE.
func inMemory(t testing.TB, caps ...imap.Cap) (server, *imapmemserver.User) {
	t.Helper()
	return inMemoryBut(t, func(_ *imapserver.Conn, s imapserver.Session) imapserver.Session { return s }, caps...)
}

// inMemoryBut is the same with sessions that differ.
func inMemoryBut(t testing.TB, but func(*imapserver.Conn, imapserver.Session) imapserver.Session, caps ...imap.Cap) (server, *imapmemserver.User) {
	t.Helper()
	all := imapmemserver.New()
	user := imapmemserver.NewUser("ana", "s3cret")
	if err := user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	all.AddUser(user)
	can := imap.CapSet{imap.CapIMAP4rev1: {}}
	for _, c := range caps {
		can[c] = struct{}{}
	}
	s := imapserver.New(&imapserver.Options{
		NewSession: func(c *imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return but(c, all.NewSession()), nil, nil
		},
		Caps: can, InsecureAuth: true, Logger: quiet{},
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		s.Close()
		<-ended
	})
	return server{host: "127.0.0.1", port: l.Addr().(*net.TCPAddr).Port, user: "ana", password: "s3cret"}, user
}

type literal struct{ *strings.Reader }

func (l literal) Size() int64 { return int64(l.Len()) }

func deliver(t testing.TB, u *imapmemserver.User, mailbox string, mails ...string) {
	t.Helper()
	for _, m := range mails {
		if _, err := u.Append(mailbox, literal{strings.NewReader(m)}, &imap.AppendOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

func dialMemory(t testing.TB, at server) *imapclient.Client {
	t.Helper()
	c, err := imapclient.DialInsecure(net.JoinHostPort(at.host, itoa(at.port)), nil)
	if err == nil {
		err = c.Login(at.user, at.password).Wait()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// The server can neither tell of mails, nor move, nor delete one alone.
func TestServerThatCanLittle(t *testing.T) {
	t.Parallel()
	at, user := inMemory(t)
	deliver(t, user, "INBOX", letter("one"))
	m := newMemory()
	r := run(t, at, m, func(c *Config) { c.After = &After{Move: "Processed"} })
	until(t, "the move is refused", func() bool { return strings.Contains(r.Report().Error, "UIDPLUS") })
	deliver(t, user, "INBOX", letter("two")) // is read all the same
	if err := r.Trigger(); err != nil {
		t.Fatal(err)
	}
	until(t, "the second is read", func() bool { return len(m.subjects()) == 2 })
	until(t, "both wait", func() bool { return len(m.place(t, "INBOX").Done.all()) == 2 })
	if note := r.Report().Note; !strings.Contains(note, "after is yet to be done to 2") {
		t.Errorf("note: %q", note)
	}
	r.stop()
	r = run(t, at, m, nil) // now it is only to mark them
	r.settled(m, "INBOX", 2)
	if diff := cmp.Diff([]string{"one \\Seen", "two \\Seen"}, inMailbox(t, dialMemory(t, at), "INBOX")); diff != "" {
		t.Error(diff)
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	at, user := inMemory(t)
	from := func(address, subject string, more ...string) string {
		return "From: Ana <" + address + ">\r\nTo: sales@example.com\r\nSubject: " + subject + "\r\n" + strings.Join(more, "") + "\r\nhello\r\n"
	}
	deliver(t, user, "INBOX",
		from("ana@partner.example", "An order"),
		from("ana@partner.example.evil.example", "An order from elsewhere"),
		from("bob@partner.example", "=?utf-8?q?Bestellung_f=C3=BCr_order?="),
		from("bob@partner.example", "nothing", "X-Fill: "+strings.Repeat("x", 900)+"\r\nX-Fill: "+strings.Repeat("x", 900)+"\r\n"),
		from("bob@partner.example", "order in copy", "Cc: x@example.com, orders@example.com\r\n"),
	)
	for name, c := range map[string]struct {
		match Match
		want  []string
	}{
		"all":     {Match{}, []string{"An order", "An order from elsewhere", "Bestellung für order", "nothing", "order in copy"}},
		"from":    {Match{From: "*@partner.example"}, []string{"An order", "Bestellung für order", "nothing", "order in copy"}},
		"subject": {Match{Subject: "*ORDER"}, []string{"An order", "Bestellung für order"}},
		"ü":       {Match{Subject: "*für*"}, []string{"Bestellung für order"}},
		"to":      {Match{To: "orders@*"}, []string{"order in copy"}},
		"larger":  {Match{Larger: 1024}, []string{"nothing"}},
		"since":   {Match{Since: "2020-01-01", From: "ana@partner.example"}, []string{"An order"}},
		"future":  {Match{Since: "2120-01-01"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMemory()
			r := run(t, at, m, func(config *Config) {
				config.Match, config.After = c.match, &After{Seen: new(bool)}
			})
			r.settled(m, "INBOX", len(c.want))
			if diff := cmp.Diff(c.want, m.subjects()); diff != "" {
				t.Error(diff)
			}
			if got := m.place(t, "INBOX").UID; got != 5 {
				t.Errorf("read up to %d", got)
			}
		})
	}
	if got := strings.Join(inMailbox(t, dialMemory(t, at), "INBOX"), " "); strings.Contains(got, "Seen") {
		t.Errorf("something was marked: %s", got)
	}
}

func TestSeveralMailboxes(t *testing.T) {
	t.Parallel()
	at, user := inMemory(t)
	if err := user.Create("Bücher", nil); err != nil {
		t.Fatal(err)
	}
	deliver(t, user, "INBOX", letter("one"))
	deliver(t, user, "Bücher", letter("two"))
	m := newMemory()
	r := run(t, at, m, func(c *Config) { c.Mailboxes = []string{"Inbox", "Bücher", "Nowhere"} })
	until(t, "both are read, and the third is told of", func() bool {
		is := r.Report()
		return len(m.subjects()) == 2 && strings.HasPrefix(is.Error, "Nowhere: open Nowhere: ") &&
			is.Note == "INBOX is read up to UID 1; Bücher is read up to UID 1; Nowhere is not connected"
	})
	if err := user.Create("Nowhere", nil); err != nil {
		t.Fatal(err)
	}
	deliver(t, user, "Nowhere", letter("three"))
	if err := r.Trigger(); err != nil { // does not wait for the next attempt
		t.Fatal(err)
	}
	r.settled(m, "Nowhere", 3)
}

// stubborn hands out all mails but two: of one it says so.
type stubborn struct {
	imapserver.Session
	well *atomic.Bool
}

func (s stubborn) Fetch(w *imapserver.FetchWriter, set imap.NumSet, options *imap.FetchOptions) error {
	asked, _ := set.(imap.UIDSet)
	switch {
	case s.well.Load() || len(options.BodySection) == 0:
	case asked.Contains(2):
		return &imap.Error{Type: imap.StatusResponseTypeNo, Text: "the disk has a hole"}
	case asked.Contains(4):
		return nil
	}
	return s.Session.Fetch(w, set, options)
}

func TestMailsThatAreNotHandedOut(t *testing.T) {
	t.Parallel()
	well := &atomic.Bool{}
	at, user := inMemoryBut(t, func(_ *imapserver.Conn, s imapserver.Session) imapserver.Session { return stubborn{s, well} })
	deliver(t, user, "INBOX", letter("one"), letter("two"), letter("three"), letter("four"), letter("five"))
	m := newMemory()
	r := run(t, at, m, nil)
	r.settled(m, "INBOX", 5)
	want := []string{
		"one", "dead: mail 2 in INBOX: read mails in INBOX: the disk has a hole", "three",
		"dead: mail 4 in INBOX: the server has the mail, and does not hand it out", "five",
	}
	if diff := cmp.Diff(want, m.subjects()); diff != "" {
		t.Error(diff)
	}
	if _, err := retry(t, r, m); err == nil || !strings.Contains(err.Error(), "the disk has a hole") {
		t.Errorf("retried as it is: %v", err)
	}
	well.Store(true)
	if d, err := retry(t, r, m); err != nil || !strings.Contains(string(d.Raw), "text of two") {
		t.Errorf("retried when all is well: %v, %q", err, d.Raw)
	}
}

// deadly hangs up when it is asked for one mail.
type deadly struct {
	imapserver.Session
	conn *imapserver.Conn
}

func (s deadly) Fetch(w *imapserver.FetchWriter, set imap.NumSet, options *imap.FetchOptions) error {
	if asked, _ := set.(imap.UIDSet); len(options.BodySection) > 0 && asked.Contains(3) {
		return s.conn.NetConn().Close()
	}
	return s.Session.Fetch(w, set, options)
}

func TestMailThatEndsConnections(t *testing.T) {
	t.Parallel()
	at, user := inMemoryBut(t, func(c *imapserver.Conn, s imapserver.Session) imapserver.Session { return deadly{s, c} })
	deliver(t, user, "INBOX", letter("one"), letter("two"), letter("three"), letter("four"))
	m := newMemory()
	r := run(t, at, m, nil)
	until(t, "the others are read", func() bool {
		_ = r.Trigger() // and waits for no attempt
		return len(m.subjects()) == 4
	})
	want := []string{"one", "two", "dead: mail 3 in INBOX: reading it has ended the connection 8 times", "four"}
	if diff := cmp.Diff(want, m.subjects()); diff != "" {
		t.Error(diff)
	}
}
