package http

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/syncd/syncd/engine/component"
)

// TestStandardVector is the example of the specification's reference libraries.
func TestStandardVector(t *testing.T) {
	key, err := (&SignStandard{Secret: component.NewSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")}).key()
	if err != nil {
		t.Fatal(err)
	}
	h := nethttp.Header{}
	standard([][]byte{key})(h, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	want := nethttp.Header{
		"Webhook-Id": {"msg_p5jXN8AQM9LWM0D4loKWxJek"}, "Webhook-Timestamp": {"1614265330"},
		"Webhook-Signature": {"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
	}
	if d := cmp.Diff(want, h); d != "" {
		t.Error(d)
	}
}

// macOf is the signature by key that Standard Webhooks makes of signed.
func macOf(key, signed string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(signed))
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func TestSigned(t *testing.T) {
	var got []nethttp.Header
	var bodies []string
	server := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		body, _ := io.ReadAll(r.Body)
		got, bodies = append(got, r.Header), append(bodies, string(body))
	}))
	defer server.Close()
	s := newSink(t, server.URL, nil, func(c *Config) {
		sign := &SignHMAC{Header: "x-signature", Prefix: "sha512=", Secret: component.NewSecret("k1")}
		sign.SetDefaults()
		sign.Algorithm, sign.Encoding = "sha512", "base64"
		c.Sign = []Sign{
			{HMAC: sign},
			{Standard: &SignStandard{Secret: component.NewSecret("whsec_" + base64.StdEncoding.EncodeToString([]byte("one")))}},
			{Standard: &SignStandard{Secret: component.NewSecret(base64.StdEncoding.EncodeToString([]byte("two")))}},
		}
	})
	if err := deliverOne(s, delivery("d1", map[string]any{"a": "é"})); err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha512.New, []byte("k1"))
	mac.Write([]byte(bodies[0]))
	want := []string{"sha512=" + base64.StdEncoding.EncodeToString(mac.Sum(nil)), "d1", "1773480413"}
	have := []string{got[0].Get("X-Signature"), got[0].Get("Webhook-Id"), got[0].Get("Webhook-Timestamp")}
	if d := cmp.Diff(want, have); d != "" {
		t.Error(d)
	}
	signatures := strings.Fields(got[0].Get("Webhook-Signature"))
	for i, key := range []string{"one", "two"} {
		if len(signatures) != 2 || signatures[i] != macOf(key, "d1.1773480413."+bodies[0]) {
			t.Errorf("signature by %s: %q", key, signatures)
		}
	}
}

func TestValidateSign(t *testing.T) {
	cfg := newConfig()
	key := component.NewSecret("whsec_b25l")
	cfg.Sign = []Sign{
		{Standard: &SignStandard{Secret: component.NewSecret("not base64!")}},
		{HMAC: &SignHMAC{Header: "X-A"}},
		{HMAC: &SignHMAC{Header: "x-a", Secret: key}},
		{HMAC: &SignHMAC{Header: "Content-Length", Secret: key}},
		{Standard: &SignStandard{Secret: key}},
	}
	var p component.Problems
	cfg.Validate(&p)
	var got []string
	for _, problem := range p.List {
		got = append(got, problem.Attr)
	}
	want := []string{"sign[0].standard.secret", "sign[1].hmac.secret", "sign[2].hmac.header", "sign[3].hmac.header"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
