package http

import (
	"fmt"
	nethttp "net/http"
	"strings"
)

// CheckHeader says in a sentence why a header of this name cannot be set, "" if it can.
func CheckHeader(name string) string {
	if !isToken(name) {
		return fmt.Sprintf("%q is not the name of a header: letters, digits and - make one.", name)
	}
	switch nethttp.CanonicalHeaderKey(name) {
	case "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Upgrade", "Trailer", "Te", "Expect", "Proxy-Authorization":
		return name + " is part of how a request travels; syncd sets it."
	}
	return ""
}

// isToken tells whether s is a token of RFC 9110, section 5.6.2.
func isToken(s string) bool {
	for _, c := range []byte(s) {
		alnum := '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !alnum && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

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
