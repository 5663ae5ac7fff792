package message

import (
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// Author is the domain of the addresses of From, "" where there is not exactly one.
func Author(from []string) string {
	if len(from) != 1 {
		return ""
	}
	return Domain(from[0])
}

// Domain is the domain of an address as the DNS knows it; of a domain, itself.
func Domain(address string) string {
	domain := strings.ToLower(strings.TrimSuffix(address[strings.LastIndexByte(address, '@')+1:], "."))
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		return ascii
	}
	return domain
}

// SpeaksFor tells whether what passed for domain counts for author: both are the same
// or, unless strict, of one organisation (RFC 7489, section 3.1).
func SpeaksFor(domain, author string, strict bool) bool {
	return domain == author || !strict && Organisation(domain) == Organisation(author)
}

// Organisation is the domain that somebody has registered, by the public suffix list.
func Organisation(domain string) string {
	if registered, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		return registered
	}
	return domain
}
