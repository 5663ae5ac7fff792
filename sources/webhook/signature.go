package webhook

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"net/http"
	"strings"
	"sync"
)

// signature is verify "hmac", and the presets that are one.
type signature struct {
	header string // canonical
	also   string // another signature that senders put beside it
	prefix string
	base64 bool
	size   int
	macs   sync.Pool // of *mac
}

// mac is a keyed hash in reserve, with room for what it is compared to.
type mac struct {
	hash       hash.Hash
	want, have [sha512.Size]byte
}

func newSignature(c HMAC) (*signature, error) {
	algorithms := map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New}
	algorithm, ok := algorithms[c.Algorithm]
	if !ok {
		return nil, fmt.Errorf("verify hmac: algorithm %q", c.Algorithm)
	}
	key := []byte(c.Secret.Reveal())
	return &signature{
		header: http.CanonicalHeaderKey(c.Header),
		prefix: c.Prefix,
		base64: c.Encoding == "base64",
		size:   algorithm().Size(),
		macs:   sync.Pool{New: func() any { return &mac{hash: hmac.New(algorithm, key)} }},
	}, nil
}

func newGitHub(c GitHub) (*signature, error) {
	s, err := newSignature(HMAC{Header: "X-Hub-Signature-256", Algorithm: "sha256", Encoding: "hex", Prefix: "sha256=", Secret: c.Secret})
	if err == nil {
		s.also = "X-Hub-Signature" // by SHA-1, for old receivers
	}
	return s, err
}

func (s *signature) glance(r *http.Request) verdict {
	if len(r.Header[s.header]) == 0 {
		return refused
	}
	return undecided
}

func (s *signature) verify(r *http.Request, raw []byte) bool {
	values := r.Header[s.header]
	if len(values) == 0 {
		return false
	}
	m := s.macs.Get().(*mac)
	defer s.macs.Put(m)
	if !s.decode(m.have[:s.size], values[0]) {
		return false
	}
	m.hash.Reset()
	m.hash.Write(raw)
	return hmac.Equal(m.hash.Sum(m.want[:0]), m.have[:s.size])
}

// decode reads a header's signature into dst, which it must fill exactly.
func (s *signature) decode(dst []byte, value string) bool {
	text, ok := strings.CutPrefix(strings.TrimSpace(value), s.prefix)
	if !ok {
		return false
	}
	if !s.base64 {
		if len(text) != hex.EncodedLen(len(dst)) {
			return false
		}
		_, err := hex.Decode(dst, []byte(text))
		return err == nil
	}
	if len(text) != base64.StdEncoding.EncodedLen(len(dst)) {
		return false
	}
	// Decode may write whole quanta: more than the digest, before it finds the padding.
	var room [sha512.Size + 3]byte
	n, err := base64.StdEncoding.Strict().Decode(room[:], []byte(text))
	copy(dst, room[:])
	return err == nil && n == len(dst)
}

func (s *signature) traces() traces {
	return traces{headers: []string{s.header, s.also}, wants: "a signature of the body in " + s.header}
}
