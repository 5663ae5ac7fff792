package smtp

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"net"
	"os/exec"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/message"
)

// zone is a DNS that knows what a test says.
type zone struct {
	txt   map[string]string
	fails bool
}

func (z *zone) LookupTXT(_ context.Context, name string) ([]string, error) {
	if z.fails {
		return nil, &net.DNSError{Name: name, Err: "server misbehaving", IsTemporary: true}
	}
	if text, ok := z.txt[strings.TrimSuffix(name, ".")]; ok {
		return []string{text}, nil
	}
	return nil, &net.DNSError{Name: name, Err: "no such host", IsNotFound: true}
}

func (z *zone) LookupMX(_ context.Context, name string) ([]*net.MX, error) {
	return nil, &net.DNSError{Name: name, IsNotFound: true}
}

func (z *zone) LookupIPAddr(_ context.Context, name string) ([]net.IPAddr, error) {
	return nil, &net.DNSError{Name: name, IsNotFound: true}
}

func (z *zone) LookupAddr(_ context.Context, name string) ([]string, error) {
	return nil, &net.DNSError{Name: name, IsNotFound: true}
}

// key signs for domains.
var key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))

func newZone() *zone {
	public := "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
	return &zone{txt: map[string]string{
		"s._domainkey.partner.example":      public,
		"s._domainkey.mail.partner.example": public,
		"s._domainkey.evil.example":         public,
		"_dmarc.partner.example":            "v=DMARC1; p=reject",
		"_dmarc.quarantined.example":        "v=DMARC1; p=none; sp=quarantine",
		"_dmarc.strict.example":             "v=DMARC1; p=reject; adkim=s; aspf=s",
		"s._domainkey.mail.strict.example":  public,
		"_dmarc.broken.example":             "v=DMARC1; p=perhaps",
		"partner.example":                   "v=spf1 ip4:127.0.0.1 -all",
		"bounces.partner.example":           "v=spf1 ip4:127.0.0.1 -all",
		"evil.example":                      "v=spf1 ip4:127.0.0.1 -all",
		"elsewhere.example":                 "v=spf1 ip4:192.0.2.1 -all",
	}}
}

func signed(t testing.TB, domain, mail string) string {
	t.Helper()
	var out bytes.Buffer
	err := dkim.Sign(&out, strings.NewReader(mail), &dkim.SignOptions{Domain: domain, Selector: "s", Signer: key})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func from(address string) string {
	return "From: " + address + "\r\nTo: orders@in.example.com\r\nSubject: order\r\n\r\ntwo boxes\r\n"
}

// send gives the answer to a mail with that envelope.
func (r *running) send(t testing.TB, sender, mail string) string {
	t.Helper()
	p := greeted(t, r.addr())
	defer p.conn.Close()
	p.say("MAIL FROM:<"+sender+">", "250")
	p.say("RCPT TO:<orders@in.example.com>", "250")
	p.say("DATA", "354")
	p.conn.Write([]byte(mail + ".\r\n"))
	return p.answer()
}

// A forged sender is refused and counted, an aligned one passes.
func TestRequire(t *testing.T) {
	partner := from("ana@partner.example")
	tests := []struct {
		what, sender, mail string
		spf, dkim, dmarc   string // answers, where each alone is required
		found              string // by SPF, DKIM, DMARC, and what speaks for From
	}{
		{"signed by its domain", "ana@elsewhere.example", signed(t, "partner.example", partner), "550 5.7.23", "250", "250", "fail pass pass dkim"},
		{"signed by a host of its domain", "ana@elsewhere.example", signed(t, "mail.partner.example", partner), "550", "250", "250", "fail pass pass dkim"},
		{"sent by its domain", "ana@partner.example", partner, "250", "550 5.7.20", "250", "pass none pass spf"},
		{"sent by another name of its domain", "b+1@bounces.partner.example", partner, "250", "550 5.7.20", "250", "pass none pass spf"},
		{"forged", "ana@elsewhere.example", partner, "550 5.7.23", "550 5.7.20", "550 5.7.26", "fail none fail "},
		{"forged, and signed by the forger", "x@evil.example", signed(t, "evil.example", partner), "550 5.7.23", "550 5.7.20", "550 5.7.26", "pass pass fail "},
		{"changed after it was signed", "x@evil.example", strings.Replace(signed(t, "partner.example", partner), "two", "ten", 1), "550", "550", "550", "pass fail fail "},
		{"a second From", "x@evil.example", "From: boss@in.example.com\r\n" + signed(t, "partner.example", partner), "550", "550", "550 5.7.1", "pass pass permerror "},
		{"two in From", "ana@partner.example", signed(t, "partner.example", from("ana@partner.example, x@evil.example")), "550", "550", "550", "pass pass permerror "},
		{"no From", "ana@partner.example", "Subject: hi\r\n\r\nhi\r\n", "550", "550", "550", "pass none permerror "},
		{"no policy", "x@evil.example", from("x@evil.example"), "250", "550", "250", "pass none none spf"},
		{"policy of the organisation", "x@evil.example", from("x@sub.quarantined.example"), "550", "550", "550 5.7.26", "pass none fail "},
		{"policy none", "x@evil.example", from("x@quarantined.example"), "550", "550", "250", "pass none fail "},
		{"strict", "x@evil.example", signed(t, "mail.strict.example", from("x@strict.example")), "550", "550", "550", "pass pass fail "},
		{"a policy that cannot be read", "x@evil.example", from("x@broken.example"), "550", "550", "250", "pass none permerror "},
		{"a bounce", "", partner, "550", "550", "550", "none none fail "},
	}
	answers := map[string]func(int) string{
		"spf":   func(i int) string { return tests[i].spf },
		"dkim":  func(i int) string { return tests[i].dkim },
		"dmarc": func(i int) string { return tests[i].dmarc },
	}
	for require, want := range answers {
		r := run(t, newPorts(), func(c *Config) { c.Require = []string{require} }, func(s *source) { s.resolver = newZone() })
		refused := 0
		for i, test := range tests {
			got := r.send(t, test.sender, test.mail)
			if !strings.HasPrefix(got, want(i)) {
				t.Errorf("require %s, %s: answered %q, want %q", require, test.what, got, want(i))
			}
			if strings.HasPrefix(got, "550") {
				refused++
			}
		}
		if _, counted := r.memory.counts(); counted != refused {
			t.Errorf("require %s: %d counted, %d refused", require, counted, refused)
		}
		r.stop()
	}
	for _, test := range tests {
		q := &inquiry{ctx: t.Context(), resolver: newZone(), author: message.Author(message.From([]byte(test.mail)))}
		q.spf(net.IPv4(127, 0, 0, 1), "client.example", test.sender)
		q.dkim(strings.NewReader(test.mail))
		q.dmarc()
		got := strings.Join([]string{q.SPF, q.DKIM, q.DMARC, strings.Join(q.Aligned, "+")}, " ")
		if got != test.found {
			t.Errorf("%s: found %q, want %q", test.what, got, test.found)
		}
	}
}

func TestAuthInMeta(t *testing.T) {
	r := run(t, newPorts(), func(c *Config) { c.Require = []string{"dkim", "dmarc"} }, func(s *source) { s.resolver = newZone() })
	r.send(t, "ana@elsewhere.example", signed(t, "partner.example", from("ana@partner.example")))
	want := map[string]any{
		"spf": "fail", "dkim": "pass", "dmarc": "pass", "aligned": []any{"dkim"},
		"spf_domain": "elsewhere.example", "dkim_domains": []any{"partner.example"}, "dmarc_policy": "reject",
	}
	if diff := cmp.Diff(want, r.memory.batches[0][0].Meta["mail"].(map[string]any)["auth"]); diff != "" {
		t.Error(diff)
	}
}

// When the DNS does not answer, nobody is refused for good.
func TestDNSDoesNotAnswer(t *testing.T) {
	for _, require := range []string{"spf", "dkim", "dmarc"} {
		r := run(t, newPorts(), func(c *Config) { c.Require = []string{require} }, func(s *source) { s.resolver = &zone{fails: true} })
		if got := r.send(t, "ana@partner.example", signed(t, "partner.example", from("ana@partner.example"))); !strings.HasPrefix(got, "451 4.7.0") {
			t.Errorf("require %s: answered %q", require, got)
		}
	}
}

// swaks is another's idea of the protocol.
func TestSwaks(t *testing.T) {
	if _, err := exec.LookPath("swaks"); err != nil {
		t.Skip("needs swaks")
	}
	cert, keyFile := certificate(t, t.TempDir(), 1)
	r := run(t, newPorts(), func(c *Config) {
		c.TLS = &TLS{cert, keyFile, "required"}
		c.Auth = []Auth{{"shop", secret("s3cret")}}
	})
	swaks := func(args ...string) string {
		out, _ := exec.Command("swaks", append([]string{
			"--server", r.addr(), "--from", "ana@partner.example", "--to", "orders+7@in.example.com", "--h-Subject", "order",
		}, args...)...).CombinedOutput() // its exit code says what the answers say
		return string(out)
	}
	for _, mechanism := range []string{"PLAIN", "LOGIN"} {
		out := swaks("--tls", "--auth", mechanism, "--auth-user", "shop", "--auth-password", "s3cret", "--attach-type", "text/csv", "--attach-name", "a.csv", "--attach", "1;2")
		if !strings.Contains(out, "250 2.0.0 OK: stored as event") {
			t.Errorf("%s: %s", mechanism, out)
		}
	}
	if out := swaks("--pipeline", "--tls", "--auth-user", "shop", "--auth-password", "s3cret"); !strings.Contains(out, "250 2.0.0 OK: stored") {
		t.Error(out)
	}
	if out := swaks("--tls"); !strings.Contains(out, "530 5.7.0") {
		t.Error(out)
	}
	if out := swaks(); !strings.Contains(out, "530 5.7.0") {
		t.Error(out)
	}
	if t.Failed() {
		return
	}
	body := message.Decode(r.memory.batches[0][0].Raw)
	a := body["attachments"].([]any)[0].(map[string]any)
	if body["subject"] != "order" || a["name"] != "a.csv" || a["content"] != "1;2" {
		t.Errorf("%v", body)
	}
}
