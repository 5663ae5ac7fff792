package message

import (
	"errors"
	"strings"
)

// Results reads what a server, by the name that it goes by in Authentication-Results
// (RFC 8601), found out about who sent a mail; nil where it says nothing. Where it has
// said something of one method twice, the field that stands first counts, the one that
// was added last: what a sender has written himself stands below it.
func Results(raw []byte, server string) *Auth {
	h, _ := split(raw)
	a := &Auth{SPF: "none", DKIM: "none", DMARC: "none"}
	found := map[string]bool{}
	for f := h.FieldsByKey("Authentication-Results"); f.Next(); {
		by, results, err := parseResults(f.Value())
		if err != nil || !strings.EqualFold(by, server) {
			continue
		}
		here := map[string]bool{}
		for _, r := range results {
			if !found[r.method] {
				here[r.method] = a.take(r)
			}
		}
		for method, taken := range here {
			found[method] = taken
		}
	}
	if !found["spf"] && !found["dkim"] && !found["dmarc"] {
		return nil
	}
	a.align(Author(h.addresses("From")))
	return a
}

// result is what was found by one method, "spf", with its properties, "smtp.mailfrom".
type result struct {
	method, value string
	props         map[string]string
}

// take notes a result of one of the methods that count.
func (a *Auth) take(r result) bool {
	switch r.method {
	case "spf":
		a.SPF, a.SPFDomain = r.value, Domain(r.first("smtp.mailfrom", "smtp.helo"))
	case "dkim":
		if r.value == "pass" {
			a.DKIMDomains = append(a.DKIMDomains, Domain(r.first("header.d", "header.i")))
		}
		if a.DKIM != "pass" {
			a.DKIM = r.value
		}
	case "dmarc":
		a.DMARC = r.value
		a.Policy = strings.ToLower(r.first("policy.dmarc", "policy.published-domain-policy"))
	default:
		return false
	}
	return true
}

func (r result) first(names ...string) string {
	for _, name := range names {
		if v := r.props[name]; v != "" {
			return v
		}
	}
	return ""
}

// align notes which of the two passed for the domain of From, as DMARC sees it where
// nobody asks for more.
func (a *Auth) align(author string) {
	if author == "" {
		return
	}
	if a.SPF == "pass" && SpeaksFor(a.SPFDomain, author, false) {
		a.Aligned = append(a.Aligned, "spf")
	}
	for _, d := range a.DKIMDomains {
		if SpeaksFor(d, author, false) {
			a.Aligned = append(a.Aligned, "dkim")
			return
		}
	}
}

var errResults = errors.New("not Authentication-Results")

// parseResults takes a field apart. What a sender could choose, the address of the
// envelope, stands in it quoted: nothing within quotes ends anything.
func parseResults(value string) (server string, all []result, err error) {
	words, err := resultWords(value)
	if err != nil || len(words) == 0 || len(words[0]) == 0 {
		return "", nil, errResults
	}
	for _, w := range words[1:] {
		if len(w) == 0 {
			continue
		}
		method, v, found := strings.Cut(w[0], "=")
		if !found {
			continue // "none"
		}
		method, _, _ = strings.Cut(method, "/")
		r := result{strings.ToLower(method), strings.ToLower(v), map[string]string{}}
		for _, p := range w[1:] {
			name, v, _ := strings.Cut(p, "=")
			if name = strings.ToLower(name); r.props[name] == "" {
				r.props[name] = v
			}
		}
		all = append(all, r)
	}
	return words[0][0], all, nil
}

// resultWords splits a field at semicolons, and what is between them at blanks; comments
// go, quotes are taken off, and blanks around "=".
func resultWords(value string) ([][]string, error) {
	var all [][]string
	var part []string
	var word strings.Builder
	depth, quoted := 0, false
	end := func() {
		if word.Len() > 0 {
			part = append(part, word.String())
			word.Reset()
		}
	}
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch {
		case c == '\\' && (quoted || depth > 0):
			if i++; i < len(value) && depth == 0 {
				word.WriteByte(value[i])
			}
		case quoted && c != '"':
			word.WriteByte(c)
		case c == '"' && depth == 0:
			quoted = !quoted
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth > 0:
		case c == ';':
			end()
			all, part = append(all, part), nil
		case strings.IndexByte(" \t\r\n", c) >= 0:
			end()
		default:
			word.WriteByte(c)
		}
	}
	end()
	if quoted || depth > 0 {
		return nil, errResults
	}
	return joinEquals(append(all, part)), nil
}

// joinEquals makes "spf = pass" one word.
func joinEquals(parts [][]string) [][]string {
	for n, part := range parts {
		var joined []string
		for _, w := range part {
			last := len(joined) - 1
			if last >= 0 && (strings.HasPrefix(w, "=") || strings.HasSuffix(joined[last], "=")) {
				joined[last] += w
				continue
			}
			joined = append(joined, w)
		}
		parts[n] = joined
	}
	return parts
}
