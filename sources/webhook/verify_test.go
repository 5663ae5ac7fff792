package webhook

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/syncd/syncd/engine/component"
)

func sign(algorithm func() hash.Hash, key, body string) []byte {
	m := hmac.New(algorithm, []byte(key))
	m.Write([]byte(body))
	return m.Sum(nil)
}

func TestVerify(t *testing.T) {
	const body, key = `{"n":1}`, "s3cret-key"
	secret := component.NewSecret(key)
	hmacBlock := func(algorithm, encoding, prefix string) Verify {
		return Verify{HMAC: &HMAC{Header: "x-signature", Algorithm: algorithm, Encoding: encoding, Prefix: prefix, Secret: secret}}
	}
	hex256 := hex.EncodeToString(sign(sha256.New, key, body))
	b64 := base64.StdEncoding.EncodeToString
	// An example of GitHub's own documentation.
	github := Verify{GitHub: &GitHub{Secret: component.NewSecret("It's a Secret to Everybody")}}
	const githubSum = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
	bearer := Verify{Bearer: &Bearer{Token: secret}}
	basic := Verify{Basic: &Basic{User: "shop", Password: secret}}
	keyHeader := Verify{APIKey: &APIKey{Header: "x-api-key", Value: secret}}
	keyQuery := Verify{APIKey: &APIKey{Query: "key", Value: secret}}
	type request struct {
		query, header, value string
		want                 int
	}
	tests := []struct {
		name   string
		verify []Verify
		body   string
		sent   []request
	}{
		{"hmac", []Verify{hmacBlock("sha256", "hex", "sha256=")}, body, []request{
			{"", "X-Signature", "sha256=" + hex256, 202},
			{"", "X-Signature", "sha256=" + strings.ToUpper(hex256), 202},
			{"", "X-Signature", hex256, 401},
			{"", "X-Signature", "sha256=" + hex256 + "00", 401},
			{"", "X-Signature", "sha256=" + hex256[:62], 401},
			{"", "X-Signature", "sha256=", 401},
			{"", "X-Signature", "", 401},
			{"", "X-Signature", "sha256=" + hex.EncodeToString(sign(sha256.New, "other", body)), 401},
			{"", "X-Signature", "sha256=" + hex.EncodeToString(sign(sha256.New, key, body+" ")), 401},
			{"", "X-Signature", "sha256=" + strings.Repeat("zz", 32), 401},
			{"", "X-Other", "sha256=" + hex256, 401},
			{"", "", "", 401},
		}},
		{"hmac sha1 base64", []Verify{hmacBlock("sha1", "base64", "")}, body, []request{
			{"", "X-Signature", b64(sign(sha1.New, key, body)), 202},
			{"", "X-Signature", strings.TrimRight(b64(sign(sha1.New, key, body)), "="), 401},
			{"", "X-Signature", hex.EncodeToString(sign(sha1.New, key, body)), 401},
			{"", "X-Signature", strings.Repeat("=", 28), 401},
		}},
		{"hmac sha512 base64", []Verify{hmacBlock("sha512", "base64", "v1,")}, body, []request{
			{"", "X-Signature", "v1," + b64(sign(sha512.New, key, body)), 202},
			{"", "X-Signature", "v1," + strings.Repeat("A", 88), 401},
			{"", "X-Signature", b64(sign(sha512.New, key, body)), 401},
		}},
		{"github", []Verify{github}, "Hello, World!", []request{
			{"", "X-Hub-Signature-256", "sha256=" + githubSum, 202},
			{"", "X-Hub-Signature", "sha256=" + githubSum, 401},
		}},
		{"bearer", []Verify{bearer}, body, []request{
			{"", "Authorization", "Bearer " + key, 202},
			{"", "Authorization", "bearer " + key, 202},
			{"", "Authorization", "Bearer " + key + "x", 401},
			{"", "Authorization", "Bearer", 401},
			{"", "Authorization", key, 401},
			{"", "Authorization", "Basic " + key, 401},
			{"", "", "", 401},
		}},
		{"basic", []Verify{basic}, body, []request{
			{"", "Authorization", "Basic " + b64([]byte("shop:"+key)), 202},
			{"", "Authorization", "Basic " + b64([]byte("shop:x")), 401},
			{"", "Authorization", "Basic " + b64([]byte("x:"+key)), 401},
			{"", "Authorization", "Basic " + b64([]byte(":")), 401},
			{"", "Authorization", "Basic !", 401},
			{"", "", "", 401},
		}},
		{"api_key header", []Verify{keyHeader}, body, []request{
			{"", "X-API-Key", key, 202},
			{"", "X-API-Key", "x", 401},
			{"?key=" + key, "", "", 401},
			{"", "", "", 401},
		}},
		{"api_key query", []Verify{keyQuery}, body, []request{
			{"?key=" + key, "", "", 202},
			{"?a=%zz&key=" + key, "", "", 202},
			{"?key=x&key=" + key, "", "", 401},
			{"", "key", key, 401},
			{"", "", "", 401},
		}},
		{"rotation", []Verify{
			hmacBlock("sha256", "hex", ""), {HMAC: &HMAC{Header: "X-Signature", Algorithm: "sha256", Encoding: "hex", Secret: component.NewSecret("next")}}, bearer,
		}, body, []request{
			{"", "X-Signature", hex256, 202},
			{"", "X-Signature", hex.EncodeToString(sign(sha256.New, "next", body)), 202},
			{"", "X-Signature", hex.EncodeToString(sign(sha256.New, "third", body)), 401},
			{"", "Authorization", "Bearer " + key, 202},
		}},
		{"none", []Verify{{None: &None{}}}, body, []request{{"", "", "", 202}}},
		{"no block", nil, body, []request{{"", "", "", 202}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newHook(t, func(c *Config) { c.Verify = test.verify })
			for _, s := range test.sent {
				r := httptest.NewRequest("POST", "/hook"+s.query, strings.NewReader(test.body))
				before, _ := h.counts()
				w := h.send(r, s.header, s.value)
				if after, _ := h.counts(); w.Code != s.want || after-before != 1-(s.want-202)/199 {
					t.Errorf("%+v: %d, %d stored", s, w.Code, after-before)
				}
				if w.Code == 401 {
					problem(t, w.Result())
				}
			}
		})
	}
}

// Without what a sender must show, a body is not even read.
func TestStrangersAreTurnedAwayUnread(t *testing.T) {
	for _, v := range []Verify{
		{HMAC: &HMAC{Header: "X-Signature", Algorithm: "sha256", Encoding: "hex", Secret: component.NewSecret("k")}},
		{Bearer: &Bearer{Token: component.NewSecret("k")}},
	} {
		h := newHook(t, func(c *Config) { c.Verify = []Verify{v} })
		body := strings.NewReader("{}")
		w := h.send(httptest.NewRequest("POST", "/hook", body))
		if w.Code != 401 || body.Len() != 2 || w.Header().Get("Connection") != "close" {
			t.Errorf("%d, %d bytes left, %v", w.Code, body.Len(), w.Header())
		}
	}
}

func TestChallenge(t *testing.T) {
	h := newHook(t, func(c *Config) {
		c.Verify = []Verify{
			{Bearer: &Bearer{Token: component.NewSecret("k")}},
			{Basic: &Basic{User: "u", Password: component.NewSecret("k")}},
			{GitHub: &GitHub{Secret: component.NewSecret("k")}},
		}
	})
	w := h.post("{}")
	if got := strings.Join(w.Header()["Www-Authenticate"], "; "); got != `Bearer; Basic realm="syncd", charset="UTF-8"` {
		t.Errorf("got %s", got)
	}
	const want = "this webhook wants a bearer token in Authorization, or user and password in Authorization, or a signature of the body in X-Hub-Signature-256; it was missing or wrong"
	if p := problem(t, w.Result()); p["detail"] != want {
		t.Errorf("got %v", p["detail"])
	}
}

// A signature is over what was sent, not over what that unpacks to.
func TestSignatureOfACompressedBody(t *testing.T) {
	h := newHook(t, func(c *Config) {
		c.Verify = []Verify{{HMAC: &HMAC{Header: "X-Signature", Algorithm: "sha256", Encoding: "hex", Secret: component.NewSecret("k")}}}
	})
	body := zip(t, "{}")
	for text, want := range map[string]int{body: 202, "{}": 401} {
		w := h.post(body, "Content-Encoding", "gzip", "X-Signature", hex.EncodeToString(sign(sha256.New, "k", text)))
		if w.Code != want {
			t.Errorf("got %d, want %d", w.Code, want)
		}
	}
}

// A body that is no gzip, JSON or text is judged only once its sender is known.
func TestNothingIsDecodedForStrangers(t *testing.T) {
	h := newHook(t, func(c *Config) { c.Verify = []Verify{{GitHub: &GitHub{Secret: component.NewSecret("k")}}} })
	w := h.post("rubbish", "Content-Encoding", "gzip", "X-Hub-Signature-256", "sha256="+strings.Repeat("0", 64))
	if w.Code != 401 {
		t.Errorf("got %d", w.Code)
	}
}

func FuzzSignature(f *testing.F) {
	var schemes []*signature
	for _, algorithm := range []string{"sha1", "sha256", "sha512"} {
		for _, encoding := range []string{"hex", "base64"} {
			s, err := newSignature(HMAC{Header: "X-Signature", Algorithm: algorithm, Encoding: encoding, Prefix: "v=", Secret: component.NewSecret("k")})
			if err != nil {
				f.Fatal(err)
			}
			schemes = append(schemes, s)
		}
	}
	f.Add("v=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")
	f.Add("v=" + strings.Repeat("A", 88))
	f.Fuzz(func(t *testing.T, value string) {
		r := httptest.NewRequest("POST", "/", nil)
		r.Header["X-Signature"] = []string{value}
		for _, s := range schemes {
			dst := make([]byte, s.size)
			if s.decode(dst, value) {
				again := hex.EncodeToString(dst)
				if s.base64 {
					again = base64.StdEncoding.EncodeToString(dst)
				}
				if !strings.EqualFold("v="+again, strings.TrimSpace(value)) {
					t.Errorf("%q was read as %s", value, again)
				}
			}
			if s.verify(r, []byte("x")) {
				t.Errorf("%q passed", value) // it would be a real signature
			}
		}
	})
}
