package email

import (
	"context"
	"io"
	"net"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/mail"
	"github.com/syncd/syncd/engine/connect/mail/mailtest"
	"github.com/syncd/syncd/engine/expr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func template(t testing.TB, text string, place expr.Escape) expr.Template {
	t.Helper()
	tpl, err := expr.CompileTemplate(expr.Source{Text: text}, place, nil)
	if err != nil {
		t.Fatal(err)
	}
	return tpl
}

func templates(t testing.TB, texts ...string) (list []expr.Template) {
	for _, text := range texts {
		list = append(list, template(t, text, expr.Header))
	}
	return list
}

func basic(t testing.TB) *Config {
	return &Config{
		From: template(t, "Shop <shop@example.com>", expr.Header), To: templates(t, "{{ body.email }}"),
		Subject: template(t, "Order {{ body.id }}", expr.Header), Text: template(t, "Hello {{ body.name }}", expr.Text),
	}
}

func opened(t testing.TB, server *mailtest.Server, cfg *Config, change func(*conn.RelayConfig)) *sink {
	t.Helper()
	c := conn.SMTP.NewConfig().(*conn.RelayConfig)
	c.Host, c.Port, c.TLS, c.CA = "127.0.0.1", server.Port, "none", server.CA
	if change != nil {
		change(c)
	}
	relay, err := conn.SMTP.Open(component.Env{}, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { relay.(*conn.Relay).Close() })
	s, err := open(component.Env{Connection: func(component.Ref) (any, error) { return relay, nil }}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s.(*sink)
}

var at = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)

func deliver(ctx context.Context, s *sink, id string, body map[string]any) error {
	if err := s.Await(ctx); err != nil {
		return err
	}
	defer s.Done()
	e := &component.Event{ID: "e1", Time: at, Body: body}
	return s.Deliver(ctx, []component.Delivery{{ID: id, Attempt: 1, Event: e}}).Errors[0]
}

func order(email string) map[string]any {
	return map[string]any{"id": int64(7), "email": email, "name": "Ana <b>"}
}

func TestMail(t *testing.T) {
	server := mailtest.Start(t, mailtest.Options{})
	cfg := basic(t)
	cfg.CC, cfg.BCC = templates(t, "cc@example.com"), templates(t, "Secret <bcc@example.com>")
	cfg.ReplyTo = template(t, "help@example.com", expr.Header)
	cfg.HTML = template(t, "<p>{{ body.name }}</p>", expr.HTML)
	cfg.Headers = map[string]expr.Template{"X-Order": template(t, "{{ body.id }}", expr.Header)}
	var err error
	cfg.Attachments, err = expr.Compile(expr.Source{Text: `[{name: 'a/order.json', content: body}, {name: 'b.bin', content: 'AAEC', encoding: 'base64', content_type: 'application/x-b'}]`}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := opened(t, server, cfg, nil)
	for range 2 { // a second attempt
		if err := deliver(t.Context(), s, "d1", order("Ana é <ana@example.com>")); err != nil {
			t.Fatal(err)
		}
	}
	mails := server.Mails()
	want := mailtest.Mail{From: "shop@example.com", To: []string{"ana@example.com", "cc@example.com", "bcc@example.com"}, Conn: mails[0].Conn}
	got := mails[0]
	got.Data = ""
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if len(mails) != 2 || mails[1].Conn != mails[0].Conn {
		t.Errorf("%d mails; the connection was not used again", len(mails))
	}
	var seen []netmail.Header
	for _, m := range mails {
		read, err := netmail.ReadMessage(strings.NewReader(m.Data))
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, read.Header)
	}
	for name, want := range map[string]string{
		"From": `"Shop" <shop@example.com>`, "To": `=?utf-8?q?Ana_=C3=A9?= <ana@example.com>`, "Cc": "<cc@example.com>", "Bcc": "",
		"Reply-To": "<help@example.com>", "Subject": "Order 7", "X-Order": "7", "Message-Id": "<d1@example.com>",
		"Date": "Sat, 14 Mar 2026 09:26:53 +0000", "Auto-Submitted": "auto-generated",
	} {
		for i := range seen {
			if got := seen[i].Get(name); got != want {
				t.Errorf("mail %d: %s: %q, want %q", i, name, got, want)
			}
		}
	}
	for _, part := range []string{"Hello Ana <b>", "<p>Ana &lt;b&gt;</p>", "order.json", "AAEC", "application/x-b"} {
		if !strings.Contains(strings.ReplaceAll(mails[0].Data, "=3D", "="), part) {
			t.Errorf("%q is not in\n%s", part, mails[0].Data)
		}
	}
}

// Domains go as every server knows them.
func TestDomains(t *testing.T) {
	server := mailtest.Start(t, mailtest.Options{})
	s := opened(t, server, basic(t), nil)
	for address, want := range map[string]string{"ana@bücher.example": "ana@xn--bcher-kva.example", "ana@Shop.example": "ana@Shop.example"} {
		if err := deliver(t.Context(), s, "d "+address, order(address)); err != nil {
			t.Fatal(err)
		}
		mails := server.Mails()
		if last := mails[len(mails)-1]; last.To[0] != want || !strings.Contains(last.Data, "<"+want+">") {
			t.Errorf("%s: sent to %q\n%s", address, last.To, last.Data)
		}
	}
	if err := deliver(t.Context(), s, "d", order("ana@-bücher.example")); !component.IsPermanent(err) || !strings.Contains(err.Error(), "no such domain") {
		t.Errorf("got %v", err)
	}
}

func TestInjection(t *testing.T) {
	server := mailtest.Start(t, mailtest.Options{})
	s := opened(t, server, basic(t), nil)
	for _, email := range []string{"a@example.com, evil@example.com", "a@example.com\r\nBcc: evil@example.com", "a@example.com\nX: y", "", "nobody", "<>"} {
		if err := deliver(t.Context(), s, "d", order(email)); !component.IsPermanent(err) {
			t.Errorf("%q: %v", email, err)
		}
	}
	cfg := basic(t)
	cfg.To = templates(t, "a@example.com")
	body := order("")
	body["id"] = "1\r\nBcc: evil@example.com"
	if err := deliver(t.Context(), opened(t, server, cfg, nil), "d", body); !component.IsPermanent(err) {
		t.Errorf("subject: %v", err)
	}
	if n := len(server.Mails()); n != 0 {
		t.Errorf("%d mails were sent", n)
	}
}

func TestRefusals(t *testing.T) {
	kind := func(err error) string {
		switch {
		case err == nil:
			return "sent"
		case component.IsPermanent(err):
			return "dead"
		case component.IsUnwell(err):
			return "unwell"
		}
		return "again"
	}
	for _, c := range []struct {
		step string
		code int
		want string
	}{
		{"RCPT ana@example.com", 550, "dead"}, {"RCPT ana@example.com", 450, "again"}, {"RCPT bob@example.com", 550, "dead"},
		{"DATA", 554, "dead"}, {"DATA", 452, "again"},
		{"MAIL", 550, "unwell"}, {"MAIL", 552, "dead"}, {"MAIL", 451, "again"}, {"MAIL", 530, "unwell"},
	} {
		refusing := true
		server := mailtest.Start(t, mailtest.Options{Answer: func(step string) error {
			if refusing && step == c.step {
				return mailtest.Refuse(c.code, "because of hunter2-hunter2")
			}
			return nil
		}})
		cfg := basic(t)
		cfg.To = templates(t, "{{ body.email }}", "bob@example.com")
		s := opened(t, server, cfg, nil)
		err := deliver(t.Context(), s, "d", order("ana@example.com"))
		if got := kind(err); got != c.want || !strings.Contains(err.Error(), "127.0.0.1:") || !strings.Contains(err.Error(), "because of") {
			t.Errorf("%s %d: %s: %v", c.step, c.code, got, err)
		}
		refusing = false
		if err := deliver(t.Context(), s, "d2", order("ana@example.com")); err != nil || len(server.Mails()) != 1 {
			t.Errorf("after %s %d: %v, %d mails", c.step, c.code, err, len(server.Mails()))
		}
	}
}

func TestLogin(t *testing.T) {
	for _, o := range []mailtest.Options{{TLS: true, Login: "me:hunter2-hunter2"}, {StartTLS: true, Login: "me:hunter2-hunter2"}} {
		server := mailtest.Start(t, o)
		with := func(password string) *sink {
			return opened(t, server, basic(t), func(c *conn.RelayConfig) {
				c.User, c.Password, c.TLS = "me", component.NewSecret(password), "starttls"
				if o.TLS {
					c.TLS = "tls"
				}
			})
		}
		if err := deliver(t.Context(), with("hunter2-hunter2"), "d", order("ana@example.com")); err != nil || len(server.Logins()) != 1 {
			t.Errorf("%+v: %v, %q", o, err, server.Logins())
		}
		err := deliver(t.Context(), with("wrong-wrong"), "d", order("ana@example.com"))
		if !component.IsUnwell(err) || strings.Contains(err.Error(), "wrong-wrong") || !strings.Contains(err.Error(), "535") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// TestTLSIsAMust sends nothing to a server that is not the right one, or does not encrypt.
func TestTLSIsAMust(t *testing.T) {
	for name, c := range map[string]struct {
		server mailtest.Options
		change func(*conn.RelayConfig)
	}{
		"no STARTTLS offered": {mailtest.Options{Login: "me:secret"}, func(c *conn.RelayConfig) { c.TLS = "starttls" }},
		"unknown authority":   {mailtest.Options{StartTLS: true, Login: "me:secret"}, func(c *conn.RelayConfig) { c.TLS, c.CA = "starttls", "" }},
		"other name":          {mailtest.Options{TLS: true, Login: "me:secret"}, func(c *conn.RelayConfig) { c.TLS, c.Host = "tls", "localhost" }},
		"no TLS at all":       {mailtest.Options{Login: "me:secret"}, func(c *conn.RelayConfig) { c.TLS = "tls" }},
	} {
		server := mailtest.Start(t, c.server)
		s := opened(t, server, basic(t), func(cfg *conn.RelayConfig) {
			c.change(cfg)
			cfg.User, cfg.Password, cfg.Timeout = "me", component.NewSecret("secret"), 5*time.Second
		})
		err := deliver(t.Context(), s, "d", order("ana@example.com"))
		if err == nil || component.IsPermanent(err) || len(server.Logins())+len(server.Mails()) != 0 {
			t.Errorf("%s: %v, %q", name, err, server.Logins())
		}
	}
}

// TestSilence ends with its context when the server says nothing.
func TestSilence(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	held := make(chan net.Conn, 1)
	go func() {
		if c, err := listener.Accept(); err == nil {
			held <- c
			_, _ = io.Copy(io.Discard, c)
		}
	}()
	s := opened(t, &mailtest.Server{Port: listener.Addr().(*net.TCPAddr).Port}, basic(t), nil)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		c := <-held
		cancel()
		defer c.Close()
	}()
	if err := deliver(ctx, s, "d", order("ana@example.com")); err == nil || component.IsPermanent(err) {
		t.Errorf("got %v", err)
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		change func(*Config)
		attr   string
	}{
		{func(*Config) {}, ""},
		{func(c *Config) { c.To = nil }, "to"},
		{func(c *Config) { c.To = templates(t, "a@b.example, c@d.example") }, "to[0]"},
		{func(c *Config) { c.From = template(t, "shop", expr.Header) }, "from"},
		{func(c *Config) { c.Text = expr.Template{} }, "text"},
		{func(c *Config) { c.Headers = map[string]expr.Template{"bcc": template(t, "x", expr.Header)} }, "headers"},
		{func(c *Config) { c.Headers = map[string]expr.Template{"X y": template(t, "x", expr.Header)} }, "headers"},
	} {
		cfg := basic(t)
		c.change(cfg)
		var p component.Problems
		cfg.Validate(&p)
		got := ""
		if len(p.List) > 0 {
			got = p.List[0].Attr
		}
		if got != c.attr {
			t.Errorf("%+v, want %q", p.List, c.attr)
		}
	}
}
