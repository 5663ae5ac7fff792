// Package scrub takes secrets out of text that is about to be shown: what a server
// or a program answers may well repeat what it was told.
package scrub

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// shortest secret that is looked for; anything shorter would hit by chance.
const shortest = 4

// Scrubber knows the secrets to remove. The zero Scrubber knows none.
type Scrubber struct {
	replacer *strings.Replacer
	longest  int
	learned  *Learned // nil: no more will come
}

// New removes the secrets, in all the ways in which they may be written, and those
// that are learned later; nil: none will be.
func New(secrets []string, learned *Learned) Scrubber {
	s := Scrubber{learned: learned}
	s.replacer, s.longest = replacer(secrets)
	if learned != nil {
		s.longest = max(s.longest, longestLearned)
	}
	return s
}

// replacer also gives the length of the longest text that it replaces.
func replacer(secrets []string) (*strings.Replacer, int) {
	var forms []string
	for _, s := range secrets {
		if len(s) >= shortest {
			forms = append(forms, encodings(s)...)
		}
	}
	// The longest first: a secret may begin like another.
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, s := range slices.Compact(forms) {
		pairs = append(pairs, s, "(sensitive)")
	}
	if len(forms) == 0 {
		return strings.NewReplacer(), 0
	}
	return strings.NewReplacer(pairs...), len(forms[0])
}

// Learned are secrets that answers have brought: tokens.
type Learned struct {
	mu       sync.Mutex
	secrets  []string // the newest last
	replacer atomic.Pointer[strings.Replacer]
}

const (
	// maxLearned secrets are looked for: the tokens of a few renewals.
	maxLearned = 8
	// longestLearned is the length of the longest token that is used.
	longestLearned = 8 << 10
)

// Add makes a secret one that is looked for, in place of the oldest if need be.
func (l *Learned) Add(secret string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.Contains(l.secrets, secret) {
		return
	}
	l.secrets = append(l.secrets, secret)
	l.secrets = l.secrets[max(len(l.secrets)-maxLearned, 0):]
	r, _ := replacer(l.secrets)
	l.replacer.Store(r)
}

// encodings are the ways in which s may come back.
func encodings(s string) []string {
	quoted, _ := json.Marshal(s)
	return []string{s, url.QueryEscape(s), url.PathEscape(s), strings.Trim(string(quoted), `"`)}
}

// Scrub removes the secrets from text.
func (s Scrubber) Scrub(text string) string {
	if s.learned != nil {
		if r := s.learned.replacer.Load(); r != nil {
			text = r.Replace(text)
		}
	}
	if s.replacer == nil {
		return text
	}
	return s.replacer.Replace(text)
}

// Quote gives the first n bytes of b, scrubbed; a secret that the cut would halve
// goes as a whole. What is no UTF-8 is replaced.
func (s Scrubber) Quote(b []byte, n int) string {
	text := s.Scrub(strings.ToValidUTF8(string(b[:min(len(b), n+s.longest)]), "\ufffd"))
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "")
}

// Overlap is how many bytes beyond n Quote needs to see.
func (s Scrubber) Overlap() int { return s.longest }
