package message

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/emersion/go-message/charset"
	"golang.org/x/text/encoding/charmap"
)

// encodedWord is one of RFC 2047. Some programs leave blanks in one; they do no harm.
var encodedWord = regexp.MustCompile(`=\?([^?\s]+)\?([bBqQ])\?([^?]*)\?=`)

// addressParser lets the names beside addresses be: they are not asked for.
var addressParser = mail.AddressParser{WordDecoder: &mime.WordDecoder{
	CharsetReader: func(_ string, r io.Reader) (io.Reader, error) { return r, nil },
}}

// decodeWords decodes a field's value. Words that follow each other in one charset
// are decoded together: many programs cut them within a character. What cannot be
// decoded stays as it is.
func decodeWords(value string) string {
	var out strings.Builder
	var pending []byte // of the words before, in set
	set := ""
	flush := func() {
		out.WriteString(toUTF8(pending, set))
		pending = nil
	}
	end := 0
	for _, at := range encodedWord.FindAllStringSubmatchIndex(value, -1) {
		between := value[end:at[0]]
		name, _, _ := strings.Cut(value[at[2]:at[3]], "*") // RFC 2231 adds the language
		apart := pending == nil || strings.TrimSpace(between) != ""
		if apart || !strings.EqualFold(name, set) {
			flush()
		}
		if apart {
			out.WriteString(toUTF8([]byte(between), ""))
		}
		set, end = name, at[1]
		pending = append(pending, decodeWord(value[at[4]:at[5]], value[at[6]:at[7]])...)
		if pending == nil {
			pending = []byte{}
		}
	}
	flush()
	out.WriteString(toUTF8([]byte(value[end:]), ""))
	return clean(out.String())
}

func decodeWord(encoding, text string) []byte {
	if strings.EqualFold(encoding, "B") {
		return fromBase64([]byte(text))
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '_' {
			c = ' '
		} else if c == '=' && i+2 < len(text) {
			if b, err := hex.DecodeString(text[i+1 : i+3]); err == nil {
				c, i = b[0], i+2
			}
		}
		out = append(out, c)
	}
	return out
}

// clean takes out what no field may hold: control characters, with which a word could
// smuggle lines.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// toUTF8 decodes text of a charset. One that is unknown, not named, or named wrongly is
// taken as UTF-8, and bytes that are none as Windows-1252: that keeps all of them.
func toUTF8(b []byte, set string) string {
	switch strings.ToLower(set) {
	case "", "utf-8", "utf8", "us-ascii", "ascii":
		return guess(b)
	}
	r, err := charset.Reader(set, bytes.NewReader(b))
	if err != nil {
		return guess(b)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return guess(b)
	}
	return strings.TrimPrefix(string(text), "\ufeff")
}

func guess(b []byte) string {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if utf8.Valid(b) {
		return string(b)
	}
	var out strings.Builder
	out.Grow(len(b) + len(b)/8)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			r = charmap.Windows1252.DecodeByte(b[0])
		}
		out.WriteRune(r)
		b = b[n:]
	}
	return out.String()
}

// fromTransfer undoes a Content-Transfer-Encoding. One that is unknown was none.
func fromTransfer(encoding string, b []byte) []byte {
	switch transfer(encoding) {
	case "base64":
		return fromBase64(b)
	case "quoted-printable":
		return fromQuoted(b)
	}
	return b
}

// transfer is the name of a transfer encoding as its field has it.
func transfer(encoding string) string {
	encoding, _, _ = strings.Cut(encoding, ";")
	return strings.ToLower(strings.TrimSpace(encoding))
}

// cutFooter finds what a mailing list has put below a body without looking at its
// encoding: after an empty line, text that is no base64.
func cutFooter(encoding string, body []byte) ([]byte, string) {
	if !strings.EqualFold(strings.TrimSpace(encoding), "base64") {
		return body, ""
	}
	start := len(body) - len(bytes.TrimLeft(body, "\r\n"))
	for at := start; at < len(body); {
		line, rest := cutLine(body[at:])
		if len(bytes.TrimSpace(line)) == 0 && bytes.ContainsFunc(rest, isNotBase64) {
			return body[:at], lines(toUTF8(bytes.TrimLeft(rest, "\r\n"), ""))
		}
		if len(bytes.TrimSpace(line)) == 0 {
			break
		}
		at += len(line)
	}
	return body, ""
}

func isNotBase64(r rune) bool {
	return r > 0x7f || sextets[r] == noSextet && !strings.ContainsRune("= \t\r\n", r)
}

// fromBase64 decodes what there is: line ends and other strangers are passed over, an
// end that is missing is none, and what follows an end is decoded, too.
func fromBase64(b []byte) []byte {
	out := make([]byte, 0, base64.StdEncoding.DecodedLen(len(b)))
	bits, n := uint32(0), 0
	for _, c := range b {
		v := sextets[c]
		switch {
		case c == '=':
			bits, n = 0, 0
		case v == noSextet:
		default:
			bits, n = bits<<6|uint32(v), n+6
			if n >= 8 {
				n -= 8
				out = append(out, byte(bits>>n))
			}
		}
	}
	return out
}

const noSextet = 0xff

// sextets are the values of base64's characters (RFC 4648, section 4).
var sextets = func() (table [256]byte) {
	for i := range table {
		table[i] = noSextet
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		table[c] = byte(i)
	}
	return table
}()

// unwrapBase64 gives base64 on one line, and how many bytes it stands for: what fromBase64
// and toBase64 make of it, without a copy between them. ok is false where an encoder would
// have written something else, or there is more than base64.
func unwrapBase64(b []byte) (text string, size int64, ok bool) {
	var out strings.Builder
	out.Grow(len(b) + 2)
	n, last, ended := 0, byte(0), false
	for _, c := range b {
		switch v := sextets[c]; {
		case c == '=':
			ended = true
		case v != noSextet && !ended:
			out.WriteByte(c)
			n, last = n+1, v
		case v != noSextet:
			return "", 0, false
		case c != '\r' && c != '\n':
			return "", 0, false
		}
	}
	const twoLeft, threeLeft = 0x0f, 0x03 // bits of the last character that stand for nothing
	switch n % 4 {
	case 1:
		return "", 0, false
	case 2:
		ok = last&twoLeft == 0
		out.WriteString("==")
	case 3:
		ok = last&threeLeft == 0
		out.WriteString("=")
	default:
		ok = true
	}
	return out.String(), int64(n) * 6 / 8, ok
}

// toBase64 encodes without a second copy: attachments are large.
func toBase64(b []byte) string {
	var out strings.Builder
	out.Grow(base64.StdEncoding.EncodedLen(len(b)))
	e := base64.NewEncoder(base64.StdEncoding, &out)
	_, _ = e.Write(b) // a Builder takes everything
	_ = e.Close()
	return out.String()
}

// fromQuoted decodes quoted-printable; where it breaks the rules it stays as it is.
func fromQuoted(b []byte) []byte {
	out, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(b)))
	if err != nil {
		return b
	}
	return out
}
