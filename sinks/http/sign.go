package http

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	nethttp "net/http"
	"strconv"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/http"
)

// Sign is one way to show a receiver that the body is ours: exactly one field is set.
type Sign struct {
	Standard *SignStandard `hcl:"standard" doc:"As Standard Webhooks has it: webhook-id, webhook-timestamp and webhook-signature."`
	HMAC     *SignHMAC     `hcl:"hmac" doc:"The body's HMAC in a header."`
}

// SignStandard is the symmetric signature of Standard Webhooks
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
type SignStandard struct {
	Secret component.Secret `hcl:"secret,required" doc:"The key that the receiver has, too: whsec_ and its base64." example:"credential(\"erp_hook\")"`
}

// SignHMAC is a keyed digest of the raw body in a header: what verify "hmac" of a webhook checks.
type SignHMAC struct {
	Header    string           `hcl:"header,required" doc:"The header that gets the signature." example:"\"X-Signature\""`
	Algorithm string           `hcl:"algorithm" doc:"The hash function." enum:"sha1|sha256|sha512"`
	Encoding  string           `hcl:"encoding" doc:"How the signature is written." enum:"hex|base64"`
	Prefix    string           `hcl:"prefix" doc:"What stands in the header before the signature." example:"\"sha256=\""`
	Secret    component.Secret `hcl:"secret,required" doc:"The key that the receiver has, too." example:"credential(\"erp_hook\")"`
}

// SetDefaults fills in what is not given.
func (h *SignHMAC) SetDefaults() { h.Algorithm, h.Encoding = "sha256", "hex" }

const standardPrefix = "whsec_"

// key decodes the secret.
func (s *SignStandard) key() ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.TrimPrefix(s.Secret.Reveal(), standardPrefix))
}

// header that the scheme sets; two that set the same would hide one another.
func (s Sign) header() string {
	if s.HMAC != nil {
		return nethttp.CanonicalHeaderKey(s.HMAC.Header)
	}
	return "Webhook-Signature"
}

func (c *Config) validateSign(p *component.Problems) {
	seen := map[string]bool{}
	for i, s := range c.Sign {
		attr := fmt.Sprintf("sign[%d]", i)
		if s.HMAC != nil {
			s.HMAC.validate(p, attr+".hmac")
		} else {
			s.Standard.validate(p, attr+".standard")
		}
		if seen[s.header()] && s.HMAC != nil {
			p.Error(attr+".hmac.header", "a header for two signatures", "Another sign block sets "+s.header()+", too. Give each its own.")
		}
		seen[s.header()] = true
	}
	if len(c.Sign) > 0 && !c.sendsBody() {
		p.Warn("sign[0]", "nothing to sign", "A GET without body has nothing that a signature could cover.")
	}
}

func (h *SignHMAC) validate(p *component.Problems, attr string) {
	if !h.Secret.IsSet() {
		p.Error(attr+".secret", "the secret is empty", "Anyone could sign with it. Give it a value, say by credential(\"name\").")
	}
	if wrong := conn.CheckHeader(h.Header); wrong != "" {
		p.Error(attr+".header", "header not allowed", wrong)
	}
}

func (s *SignStandard) validate(p *component.Problems, attr string) {
	if key, err := s.key(); err != nil || len(key) == 0 {
		p.Error(attr+".secret", "not a secret of Standard Webhooks", "It is base64, mostly behind "+standardPrefix+", of 24 to 64 random bytes: echo "+standardPrefix+"$(openssl rand -base64 32)")
	}
}

// signer puts a signature among the headers of an attempt.
type signer func(h nethttp.Header, id string, at time.Time, body []byte)

func newSigners(blocks []Sign) ([]signer, error) {
	var keys [][]byte // of standard: one header holds the signatures of all
	var list []signer
	for _, s := range blocks {
		if s.HMAC != nil {
			list = append(list, s.HMAC.signer())
			continue
		}
		key, err := s.Standard.key()
		if err != nil {
			return nil, fmt.Errorf("decode the secret of sign standard: %w", err)
		}
		keys = append(keys, key)
	}
	if keys != nil {
		list = append(list, standard(keys))
	}
	return list, nil
}

func (h *SignHMAC) signer() signer {
	algorithm := map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New}[h.Algorithm]
	encode := hex.EncodeToString
	if h.Encoding == "base64" {
		encode = base64.StdEncoding.EncodeToString
	}
	name, key := nethttp.CanonicalHeaderKey(h.Header), []byte(h.Secret.Reveal())
	return func(header nethttp.Header, _ string, _ time.Time, body []byte) {
		mac := hmac.New(algorithm, key)
		mac.Write(body)
		header[name] = []string{h.Prefix + encode(mac.Sum(nil))}
	}
}

// standard signs with every key: a receiver accepts the one that it knows, so that a
// key can be changed without a gap.
func standard(keys [][]byte) signer {
	return func(header nethttp.Header, id string, at time.Time, body []byte) {
		seconds := strconv.FormatInt(at.Unix(), 10)
		var signatures []string
		for _, key := range keys {
			mac := hmac.New(sha256.New, key)
			mac.Write([]byte(id + "." + seconds + "."))
			mac.Write(body)
			signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
		}
		header["Webhook-Id"] = []string{id}
		header["Webhook-Timestamp"] = []string{seconds}
		header["Webhook-Signature"] = []string{strings.Join(signatures, " ")}
	}
}
