package component

import (
	"fmt"
	"strings"
	"unicode"
)

// Address is a component's type path: "source.webhook.orders", "flow.orders". One
// that for_each made has its key in it, quoted as HCL quotes: source.poll.orders["cl"].
type Address string

// Instance is the address of the component that for_each makes for key.
func (a Address) Instance(key string) Address { return a + "[" + Address(QuoteKey(key)) + "]" }

// Base is the address without a key: that of the block.
func (a Address) Base() Address {
	base, _, _ := strings.Cut(string(a), "[") // no name has one
	return Address(base)
}

// QuoteKey writes the key of a for_each as an HCL string.
func QuoteKey(key string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, r := range key {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
		case (r == '$' || r == '%') && strings.HasPrefix(key[i+1:], "{"):
			b.WriteRune(r)
		case !unicode.IsPrint(r) && r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		case !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\U%08x`, r)
			continue
		}
		b.WriteRune(r)
	}
	b.WriteByte('"')
	return b.String()
}
