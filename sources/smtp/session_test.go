package smtp

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/message"
)

func TestMail(t *testing.T) {
	r := run(t, newPorts(), nil)
	p := greeted(t, r.addr())
	p.mail("Orders+AbC@IN.example.com", plain("one"), "250 2.0.0 OK: stored as event1")
	p.say("QUIT", "221")
	d := r.memory.batches[0][0]
	if d.ContentType != message.ContentType || string(d.Raw) != strings.ReplaceAll(plain("one"), "\r\n..", "\r\n.")+"\r\n" {
		t.Errorf("%s: %q", d.ContentType, d.Raw)
	}
	mail := d.Meta["mail"].(map[string]any)
	delete(mail, "headers")
	want := map[string]any{
		"params": map[string]any{"token": "AbC"}, "remote_ip": "127.0.0.1",
		"mail": map[string]any{
			"kind": "normal", "sender": "ana@partner.example", "recipient": "Orders+AbC@IN.example.com",
			"header": map[string]any{"from": "Ana <ana@partner.example>", "to": "orders@in.example.com", "subject": "one", "message-id": "<one@partner.example>"},
		},
	}
	if diff := cmp.Diff(want, d.Meta); diff != "" {
		t.Error(diff)
	}
}

// Each recipient has an event of its own; they are stored together.
func TestRecipients(t *testing.T) {
	r := run(t, newPorts(), nil)
	p := greeted(t, r.addr())
	p.say("MAIL FROM:<>", "250")
	p.say("RCPT TO:<orders@in.example.com>", "250")
	p.say("RCPT TO:<orders@in.example.com>", "250")
	p.say("RCPT TO:<orders+@in.example.com>", "550 5.1.1")
	p.say("RCPT TO:<orders@elsewhere.example>", "550 5.1.1")
	p.say("RCPT TO:<orders+a+b@in.example.com>", "250")
	p.say("DATA", "354")
	p.send(plain("two") + ".\r\n")
	p.expect("250 2.0.0 OK: stored as event1 event2")
	var to []string
	for _, d := range r.memory.batches[0] {
		mail := d.Meta["mail"].(map[string]any)
		to = append(to, fmt.Sprintln(mail["recipient"], d.Meta["params"], mail["kind"]))
	}
	want := []string{"orders@in.example.com map[] bounce\n", "orders+a+b@in.example.com map[token:a+b] bounce\n"}
	if diff := cmp.Diff(want, to); diff != "" {
		t.Error(diff)
	}
	p.say("MAIL FROM:<a@x.example>", "250")
	for i := range maxRecipients {
		p.say(fmt.Sprintf("RCPT TO:<orders+%d@in.example.com>", i), "250")
	}
	p.say("RCPT TO:<orders+more@in.example.com>", "452 4.5.3")
	if _, refused := r.memory.counts(); refused != 2 {
		t.Errorf("%d refused", refused)
	}
}

func TestStrangersAreCutOff(t *testing.T) {
	r := run(t, newPorts(), nil)
	p := greeted(t, r.addr())
	p.say("MAIL FROM:<a@x.example>", "250")
	for i := range maxStrangers - 1 {
		p.say(fmt.Sprintf("RCPT TO:<%d@in.example.com>", i), "550")
	}
	p.say("RCPT TO:<z@in.example.com>", "421")
	p.ended()
	if _, refused := r.memory.counts(); refused != maxStrangers {
		t.Errorf("%d refused", refused)
	}
}

// What the journal cannot take is not answered with 250.
func TestLater(t *testing.T) {
	r := run(t, newPorts(), nil)
	p := greeted(t, r.addr())
	r.memory.err = &component.LaterError{Reason: "disk full", After: time.Second}
	p.mail("orders@in.example.com", plain("one"), "452 4.3.1 not now: disk full")
	r.memory.err = errors.New("broken")
	p.mail("orders@in.example.com", plain("one"), "451 4.3.0")
	if !strings.Contains(r.log.String(), "mails cannot be stored") {
		t.Errorf("logged: %s", r.log)
	}
	r.memory.err = nil
	p.mail("orders@in.example.com", plain("one"), "250")
	if events, refused := r.memory.counts(); events != 1 || refused != 2 {
		t.Errorf("%d events, %d refused", events, refused)
	}
}

func TestPipelining(t *testing.T) {
	r := run(t, newPorts(), nil)
	p := greeted(t, r.addr())
	var all strings.Builder
	for i := range 5 {
		fmt.Fprintf(&all, "MAIL FROM:<a@x.example> BODY=8BITMIME SMTPUTF8\r\nRCPT TO:<orders@in.example.com>\r\nRCPT TO:<no@x.example>\r\n")
		text := plain(fmt.Sprint("žluť", i))
		all.WriteString(chunk(text[:20], "") + chunk(text[20:], " LAST"))
	}
	p.send(all.String() + "QUIT\r\n")
	for range 5 {
		for _, want := range []string{"250", "250", "550", "250", "250 2.0.0 OK: stored"} {
			p.expect(want)
		}
	}
	p.expect("221")
	if got := message.Decode(r.memory.batches[4][0].Raw)["subject"]; got != "žluť4" || r.memory.events != 5 {
		t.Errorf("%d events, the last %q", r.memory.events, got)
	}
}

func TestAdvertised(t *testing.T) {
	r := run(t, newPorts(), func(c *Config) { c.MaxMessage = 4096 })
	p := dial(t, r.addr())
	p.expect("220 mx.example")
	p.send("EHLO me\r\n")
	text, _ := p.lines()
	for _, want := range []string{"PIPELINING", "8BITMIME", "CHUNKING", "SMTPUTF8", "SIZE 4096"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %q", want, text)
		}
	}
	if strings.Contains(text, "AUTH") || strings.Contains(text, "STARTTLS") {
		t.Errorf("%q", text)
	}
	p.say("MAIL FROM:<a@x.example> SIZE=4097", "552")
	p.mail("orders@in.example.com", strings.Repeat("x\r\n", 1363), "250")
	p.mail("orders@in.example.com", strings.Repeat("x\r\n", 1366), "552 5.3.4")
	p.mail("orders@in.example.com", "small", "250")
}

// 25 MiB are taken, over both ways, and memory for mails is bounded.
func TestLargest(t *testing.T) {
	t.Parallel()
	r := run(t, newPorts(), nil)
	p := greeted(t, r.addr())
	body := "Subject: large\r\n\r\n" + strings.Repeat(strings.Repeat("x", 998)+"\r\n", 25*1024*1024/1000)
	p.mail("orders@in.example.com", body, "250")
	chunked := func(want string) {
		t.Helper()
		p.say("MAIL FROM:<a@x.example>", "250")
		p.say("RCPT TO:<orders@in.example.com>", "250")
		p.send(chunk(body, " LAST"))
		p.expect(want)
	}
	chunked("250")
	for _, b := range r.memory.batches {
		if len(b[0].Raw) < len(body) {
			t.Errorf("%d of %d bytes", len(b[0].Raw), len(body))
		}
	}
	if !r.budget.TryAcquire(budget - 10<<20) {
		t.Fatal("the budget is not free")
	}
	chunked("452 4.3.1")
	r.budget.Release(budget - 10<<20)
	chunked("250")
}

func TestSixtyConnections(t *testing.T) {
	r := run(t, newPorts(), func(c *Config) { c.MaxConnections = 120 })
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			p := greeted(t, r.addr())
			for n := range 5 {
				p.mail("orders@in.example.com", plain(fmt.Sprint(i, "-", n)), "250")
			}
		})
	}
	all.Wait()
	if events, _ := r.memory.counts(); events != 300 {
		t.Errorf("%d events", events)
	}
}

func TestTooManyConnections(t *testing.T) {
	r := run(t, newPorts(), func(c *Config) { c.MaxConnections = 4 })
	first, second := greeted(t, r.addr()), greeted(t, r.addr())
	third := dial(t, r.addr())
	third.expect("421 4.7.0")
	third.ended()
	if note := r.Report().Note; !strings.HasPrefix(note, "2 connections; last refused 127.0.0.1: 421 4.7.0") {
		t.Errorf("%q", note)
	}
	first.say("QUIT", "221")
	second.mail("orders@in.example.com", plain("one"), "250")
	within(t, "a place is free", func() bool { return strings.HasPrefix(r.Report().Note, "1 connection;") })
	greeted(t, r.addr()).mail("orders@in.example.com", plain("two"), "250")
}

func TestAllowed(t *testing.T) {
	r := run(t, newPorts(), func(c *Config) { c.AllowFrom = []string{"*@partner.example", "boss@other.example"} })
	p := greeted(t, r.addr())
	for from, want := range map[string]string{
		"Ana <Ana@Partner.example>":                          "250",
		"boss@other.example":                                 "250",
		"<evil@x.example>":                                   "550 5.7.1",
		"ana@partner.example.evil.example":                   "550 5.7.1",
		"ana@partner.example, evil@x.example":                "550 5.7.1",
		"ana@partner.example\r\nFrom: evil@x.example":        "550 5.7.1",
		"\"ana@partner.example\" <evil@x.example>":           "550 5.7.1",
		"=?utf-8?Q?ana=40partner.example?= <evil@x.example>": "550 5.7.1",
	} {
		p.mail("orders@in.example.com", "From: "+from+"\r\n\r\nhi", want)
	}
	p.mail("orders@in.example.com", "Subject: nobody\r\n\r\nhi", "550 5.7.1")
	if events, refused := r.memory.counts(); events != 2 || refused != 7 {
		t.Errorf("%d events, %d refused", events, refused)
	}
}

func TestRateLimit(t *testing.T) {
	r := run(t, newPorts(), func(c *Config) { c.RateLimit = component.Rate{N: 2, Per: time.Hour} })
	p := greeted(t, r.addr())
	p.mail("orders@in.example.com", plain("one"), "250")
	p.mail("orders@in.example.com", plain("two"), "250")
	p.say("MAIL FROM:<a@x.example>", "451 4.7.1")
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := certificate(t, dir, 1)
	for _, mode := range []string{"offered", "required", "implicit"} {
		r := run(t, newPorts(), func(c *Config) { c.TLS = &TLS{cert, key, mode} })
		p := dial(t, r.addr())
		if mode == "implicit" {
			p.secure()
		}
		p.expect("220")
		p.say("EHLO me", "250")
		switch mode {
		case "required":
			p.say("MAIL FROM:<a@x.example>", "530 5.7.0")
			fallthrough
		case "offered":
			p.startTLS()
			p.say("EHLO me", "250")
		}
		p.mail("orders@in.example.com", plain("one"), "250")
		p.say("QUIT", "221")
	}
}

// What is sent in the clear together with STARTTLS is not taken for what is sent over TLS.
func TestNothingIsInjectedIntoTLS(t *testing.T) {
	cert, key := certificate(t, t.TempDir(), 1)
	r := run(t, newPorts(), func(c *Config) { c.TLS = &TLS{cert, key, "offered"} })
	p := greeted(t, r.addr())
	p.send("STARTTLS\r\nMAIL FROM:<evil@x.example>\r\n")
	p.expect("220")
	p.secure()
	p.say("NOOP", "250 2.0.0")
	p.say("RCPT TO:<orders@in.example.com>", "502")
}

func TestCertificateIsReread(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := certificate(t, dir, 1)
	r := run(t, newPorts(), func(c *Config) { c.TLS = &TLS{cert, key, "offered"} })
	shown := func() int64 {
		p := greeted(t, r.addr())
		defer p.conn.Close()
		return p.startTLS()
	}
	if n := shown(); n != 1 {
		t.Errorf("certificate %d", n)
	}
	certificate(t, dir, 2)
	within(t, "the new certificate", func() bool { return shown() == 2 })
}

func TestLogin(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t, t.TempDir(), 1)
	r := run(t, newPorts(), func(c *Config) {
		c.TLS = &TLS{cert, key, "offered"}
		c.Auth = []Auth{{"shop", component.NewSecret("s3cret")}, {"erp", component.NewSecret("other")}}
	})
	code := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	p := greeted(t, r.addr())
	p.say("MAIL FROM:<a@x.example>", "530 5.7.0")
	p.startTLS()
	p.say("EHLO me", "250")
	p.say("AUTH PLAIN "+code("\x00shop\x00other"), "535 5.7.8")
	p.say("AUTH PLAIN "+code("\x00shop\x00s3cret"), "235")
	p.mail("orders@in.example.com", plain("one"), "250")
	if user := r.memory.batches[0][0].Meta["mail"].(map[string]any)["user"]; user != "shop" {
		t.Errorf("user %v", user)
	}
	q := greeted(t, r.addr())
	q.say("AUTH LOGIN", "334 "+code("Username:"))
	q.say(code("erp"), "334 "+code("Password:"))
	q.say(code("other"), "235")
	q.mail("orders@in.example.com", plain("two"), "250")
	q = greeted(t, r.addr())
	q.say("AUTH LOGIN "+code("erp"), "334 "+code("Password:"))
	q.say(code("wrong"), "535")
	q.say("AUTH LOGIN", "334")
	q.say("*", "501")
	q.say("AUTH CRAM-MD5", "504")
	q.say("AUTH PLAIN "+code("\x00\x00"), "535")
	q.say("AUTH PLAIN "+code("\x00erp\x00"), "421")
	q.ended()
	if strings.Contains(r.log.String(), "s3cret") {
		t.Error("the log holds a password")
	}
}

// From another machine a password is taken over TLS only.
func TestPasswordsAreNotTakenInTheClear(t *testing.T) {
	in := &source{intake: &memory{}, logins: []login{newLogin(Auth{"shop", component.NewSecret("x")})}, env: component.Env{Now: time.Now, Log: slog.New(slog.DiscardHandler)}}
	s := &session{source: in, conn: &conn{peer: address(fakeAddr("192.0.2.1:4711"))}}
	if s.AuthMechanisms() != nil {
		t.Error("AUTH is offered")
	}
	if _, err := s.Auth("PLAIN"); err == nil || !strings.Contains(err.Error(), "TLS only") {
		t.Errorf("got %v", err)
	}
	s.secure = true
	if s.AuthMechanisms() == nil {
		t.Error("AUTH is not offered over TLS")
	}
}

type fakeAddr string

func (fakeAddr) Network() string  { return "tcp" }
func (a fakeAddr) String() string { return string(a) }
