package message

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestResults(t *testing.T) {
	const from = "From: Ana <ana@shop.partner.example>\r\n"
	field := func(text string) string { return "Authentication-Results: " + text + "\r\n" }
	for name, c := range map[string]struct {
		head string
		want *Auth
	}{
		"nothing":   {from, nil},
		"no result": {from + field("mx.example.com; none"), nil},
		"another's": {from + field("mx.other.example; spf=pass smtp.mailfrom=shop.partner.example"), nil},
		"as Google writes it": {from + field("mx.example.com;\r\n       dkim=pass header.i=@partner.example header.s=20230601 header.b=\"abc;def\";\r\n"+
			"       spf=pass (google.com: domain of ana@partner.example designates 192.0.2.1 as permitted sender; really) smtp.mailfrom=ana@partner.example;\r\n"+
			"       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=partner.example"),
			&Auth{SPF: "pass", DKIM: "pass", DMARC: "pass", SPFDomain: "partner.example", DKIMDomains: []string{"partner.example"}, Aligned: []string{"spf", "dkim"}}},
		"version, case and blanks": {from + field("MX.example.com 1; SPF = Fail smtp.mailfrom=evil.example; dkim/1=none; dmarc=fail policy.dmarc=quarantine"),
			&Auth{SPF: "fail", DKIM: "none", DMARC: "fail", SPFDomain: "evil.example", Policy: "quarantine"}},
		"a field for each method": {from + field("mx.example.com; dkim=pass header.d=partner.example") + field("mx.example.com; spf=softfail smtp.mailfrom=a@b.example"),
			&Auth{SPF: "softfail", DKIM: "pass", DMARC: "none", SPFDomain: "b.example", DKIMDomains: []string{"partner.example"}, Aligned: []string{"dkim"}}},
		"several signatures": {from + field("mx.example.com; dkim=fail header.d=partner.example; dkim=pass header.d=list.example; dkim=fail header.d=x.example"),
			&Auth{SPF: "none", DKIM: "pass", DMARC: "none", DKIMDomains: []string{"list.example"}}},
		"forged below": {from + field("mx.example.com; dkim=fail") + field("mx.example.com; dkim=pass header.d=partner.example"),
			&Auth{SPF: "none", DKIM: "fail", DMARC: "none"}},
		"forged within an address": {from + field(`mx.example.com; spf=fail smtp.mailfrom="x; dkim=pass header.d=partner.example; a"@evil.example`),
			&Auth{SPF: "fail", DKIM: "none", DMARC: "none", SPFDomain: "evil.example"}},
		"forged within a comment": {from + field(`mx.example.com; spf=fail (x\); dkim=pass header.d=partner.example) smtp.mailfrom=evil.example`),
			&Auth{SPF: "fail", DKIM: "none", DMARC: "none", SPFDomain: "evil.example"}},
		"a quote that does not end": {from + field(`mx.example.com; spf=fail smtp.mailfrom="x; dkim=pass header.d=partner.example`), nil},
		"two authors": {"From: a@partner.example, b@evil.example\r\n" + field("mx.example.com; dkim=pass header.d=evil.example"),
			&Auth{SPF: "none", DKIM: "pass", DMARC: "none", DKIMDomains: []string{"evil.example"}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, Results([]byte(c.head+"\r\nhello\r\n"), "mx.example.com")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzResults(f *testing.F) {
	f.Add("mx.example.com; spf=pass (a) smtp.mailfrom=\"x\"@y; dkim=pass header.d=z")
	f.Fuzz(func(t *testing.T, text string) {
		a := Results([]byte("From: a@z\r\nAuthentication-Results: "+text+"\r\n\r\n"), "mx.example.com")
		if a != nil && a.Meta() == nil {
			t.Error("no meta")
		}
	})
}

func TestDigest(t *testing.T) {
	mail := "Message-ID: <1@a>\r\nSubject: x\r\n\r\nhello\r\n"
	same := "X-Added: by the server\r\n" + mail
	if Digest([]byte(mail)) != Digest([]byte(same)) {
		t.Error("a field that was added makes it another mail")
	}
	for _, other := range []string{"Message-ID: <2@a>\r\n\r\nhello\r\n", "Message-ID: <1@a>\r\n\r\nhello!\r\n"} {
		if Digest([]byte(mail)) == Digest([]byte(other)) {
			t.Errorf("%q is the same", other)
		}
	}
	if Digest([]byte("Subject: x\r\n\r\nhello\r\n")) == Digest([]byte("Subject: y\r\n\r\nhello\r\n")) {
		t.Error("without Message-ID, other headers are the same")
	}
}
