package message

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/mail"
	"regexp"
	"strings"
	"time"

	"github.com/emersion/go-message/textproto"
)

// header is a header as it stands, its values undecoded. Names count in any case.
type header struct{ textproto.Header }

// split finds header and body of a message or part. A line that is no field ends
// nothing: it is passed over, as is the "From " line of a mailbox file.
func split(raw []byte) (header, []byte) {
	var fields bytes.Buffer
	rest, kept := raw, false
	for len(rest) > 0 && len(raw)-len(rest) < maxHeader {
		line, after := cutLine(rest)
		text := bytes.TrimRight(line, "\r\n")
		if len(text) == 0 {
			rest = after
			break
		}
		rest = after
		goesOn := text[0] == ' ' || text[0] == '\t'
		switch {
		case isField(text) && !goesOn, kept && goesOn:
			kept = true
			fields.Write(bytes.ReplaceAll(text, []byte{0}, nil))
			fields.WriteString("\r\n")
		case len(raw)-len(after) == len(line) && !bytes.HasPrefix(text, []byte("From ")):
			return header{}, raw // the first line is none: there is no header at all
		default:
			kept = false
		}
	}
	fields.WriteString("\r\n")
	h, _ := textproto.ReadHeader(bufio.NewReader(&fields)) // its faults have been taken out
	return header{h}, rest
}

// isField tells whether a line begins a field: a name (RFC 5322, section 3.6.8), perhaps
// blanks, which should not be there, and a colon.
func isField(line []byte) bool {
	name, _, found := bytes.Cut(line, []byte{':'})
	name = bytes.TrimRight(name, " \t")
	if !found || len(name) == 0 {
		return false
	}
	for _, c := range name {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// cutLine gives the first line of b with its end, and what follows.
func cutLine(b []byte) (line, rest []byte) {
	n := bytes.IndexByte(b, '\n') + 1
	if n == 0 {
		n = len(b)
	}
	return b[:n], b[n:]
}

// text is a field's value, decoded; of a field that comes more than once the first.
func (h header) text(name string) string { return decodeWords(h.Get(name)) }

// maxAddresses is the length up to which a list is read by the rules: they take time.
const maxAddresses = 64 << 10

// looksLikeAddress finds addresses where a list of them breaks the rules.
var looksLikeAddress = regexp.MustCompile(`[^\s<>,;:"()\[\]]+@[^\s<>,;:"()\[\]]+`)

// addresses are those of a field, without names. One that has none at all gives its
// text, so that nothing is hidden.
func (h header) addresses(name string) []string {
	var all []string
	for f := h.FieldsByKey(name); f.Next(); {
		all = append(all, addresses(f.Value())...)
	}
	return all
}

func addresses(value string) []string {
	var all []string
	if len(value) <= maxAddresses {
		if list, err := addressParser.ParseList(value); err == nil {
			for _, a := range list {
				all = append(all, clean(a.Address))
			}
			return all
		}
	}
	value = decodeWords(value)
	if all = looksLikeAddress.FindAllString(value, -1); all == nil && strings.TrimSpace(value) != "" && !strings.HasSuffix(strings.TrimSpace(value), ":;") {
		return []string{value}
	}
	return all
}

// date is when the mail says that it was written.
func (h header) date() (time.Time, bool) {
	value := strings.TrimSpace(h.Get("Date"))
	for _, read := range []func(string) (time.Time, error){
		mail.ParseDate,
		func(s string) (time.Time, error) { return time.Parse(time.RFC3339, s) },
		func(s string) (time.Time, error) { return time.Parse(time.ANSIC, s) },
	} {
		if at, err := read(value); err == nil && at.Year() > 0 && at.Year() < 9999 {
			return at, true
		}
	}
	return time.Time{}, false
}

// messageID names the mail. One without a name is named after its content, so that
// whoever deduplicates needs no second rule.
func (h header) messageID(raw []byte) string {
	id := strings.TrimSpace(h.text("Message-Id"))
	if _, after, found := strings.Cut(id, "<"); found {
		id, _, _ = strings.Cut(after, ">")
	}
	if id = strings.TrimSpace(id); id != "" {
		return id
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16]) + "@no-message-id"
}
