package http

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// shortest secret that is looked for; anything shorter would hit by chance.
const shortest = 4

// Scrubber takes secrets out of text that is about to be shown: what a server
// answers may well repeat what it was sent.
type Scrubber struct {
	replacer *strings.Replacer
	longest  int
}

// Scrubber removes the connection's secrets and more of its user's own.
func (c *Client) Scrubber(more []string) Scrubber {
	var forms []string
	for _, s := range slices.Concat(c.secrets, more) {
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
	scrubber := Scrubber{replacer: strings.NewReplacer(pairs...)}
	if len(forms) > 0 {
		scrubber.longest = len(forms[0])
	}
	return scrubber
}

// encodings are the ways in which s may come back.
func encodings(s string) []string {
	quoted, _ := json.Marshal(s)
	return []string{s, url.QueryEscape(s), url.PathEscape(s), strings.Trim(string(quoted), `"`)}
}

// Scrub removes the secrets from s.
func (s Scrubber) Scrub(text string) string { return s.replacer.Replace(text) }

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

// HeaderSecrets are the parts of a configured header that must not show: its
// value, and what follows a scheme such as Bearer. Headers that only negotiate
// hold none.
func HeaderSecrets(name, value string) []string {
	lower := strings.ToLower(name)
	if lower == "content-type" || lower == "user-agent" || lower == "host" || strings.HasPrefix(lower, "accept") {
		return nil
	}
	secrets := []string{value}
	if _, rest, ok := strings.Cut(value, " "); ok {
		secrets = append(secrets, rest)
	}
	return secrets
}
