package expr

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func itoa(n int) string { return strconv.Itoa(n) }

var textFunctions = map[string]*function{
	"lower": textFunction(2, strings.ToLower),
	"upper": textFunction(2, strings.ToUpper),
	"trim": {args: []kind{kText, kText}, min: 1, result: kText, run: func(_ *machine, _ *callNode, a []any) any {
		if len(a) == 1 {
			return strings.TrimSpace(a[0].(string))
		}
		return strings.Trim(a[0].(string), a[1].(string))
	}},
	"trimPrefix": {args: []kind{kText, kText}, min: 1, result: kText, run: func(_ *machine, _ *callNode, a []any) any {
		return strings.TrimPrefix(a[0].(string), text(a, 1, " "))
	}},
	"trimSuffix": {args: []kind{kText, kText}, min: 1, result: kText, run: func(_ *machine, _ *callNode, a []any) any {
		return strings.TrimSuffix(a[0].(string), text(a, 1, " "))
	}},
	"hasPrefix": {args: []kind{kText, kText}, min: 2, result: kBool, run: func(_ *machine, _ *callNode, a []any) any {
		return strings.HasPrefix(a[0].(string), a[1].(string))
	}},
	"hasSuffix": {args: []kind{kText, kText}, min: 2, result: kBool, run: func(_ *machine, _ *callNode, a []any) any {
		return strings.HasSuffix(a[0].(string), a[1].(string))
	}},
	"indexOf": {args: []kind{kText, kText}, min: 2, result: kInt, run: func(_ *machine, _ *callNode, a []any) any {
		return characters(a[0].(string), strings.Index(a[0].(string), a[1].(string)))
	}},
	"lastIndexOf": {args: []kind{kText, kText}, min: 2, result: kInt, run: func(_ *machine, _ *callNode, a []any) any {
		return characters(a[0].(string), strings.LastIndex(a[0].(string), a[1].(string)))
	}},
	"split":        {args: []kind{kText, kText, kNumber}, min: 2, result: kList, run: splitText(strings.SplitN)},
	"splitAfter":   {args: []kind{kText, kText, kNumber}, min: 2, result: kList, run: splitText(strings.SplitAfterN)},
	"replace":      {args: []kind{kText, kText, kText, kNumber}, min: 3, result: kText, run: replaceText},
	"repeat":       {args: []kind{kText, kNumber}, min: 2, result: kText, run: repeatText},
	"regexReplace": {args: []kind{kText, kText, kText}, min: 3, result: kText, prepare: prepareRegexReplace, run: regexReplace},
	"join":         {args: []kind{kList, kText}, min: 1, result: kText, run: joinTexts},
	"string":       {args: []kind{kAny &^ kNil}, min: 1, result: kText, run: toText},
	"toBase64":     textFunction(5, func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }),
	"fromBase64":   {args: []kind{kText}, min: 1, result: kText, run: fromBase64},
	"hex":          textFunction(5, func(s string) string { return hex.EncodeToString([]byte(s)) }),
	"sha256":       {args: []kind{kText}, min: 1, result: kText, hash: true, run: hashText},
	"hmacSha256":   {args: []kind{kText, kText}, min: 2, result: kText, hash: true, run: hmacText},
	"slug":         textFunction(16, slug),
	"mask":         textFunction(2, mask),
	"uuid":         {result: kText, quick: true, run: uuid},
}

// textFunction makes a function of text to text that allocates up to weight
// times the text's size, and takes time accordingly.
func textFunction(weight int, f func(string) string) *function {
	return &function{args: []kind{kText}, min: 1, result: kText, run: func(m *machine, n *callNode, a []any) any {
		s := a[0].(string)
		m.take(weight*len(s), n.at)
		m.step(weight*len(s)/32, n.at)
		return f(s)
	}}
}

// characters counts a byte offset in characters; -1 stays.
func characters(s string, offset int) int64 {
	if offset < 0 {
		return -1
	}
	return int64(utf8.RuneCountInString(s[:offset]))
}

func splitText(split func(s, sep string, n int) []string) func(*machine, *callNode, []any) any {
	return func(m *machine, n *callNode, a []any) any {
		s, sep, limit := a[0].(string), a[1].(string), -1
		if len(a) == 3 {
			limit = int(n.whole(m, a, 2))
		}
		pieces := strings.Count(s, sep) + 1
		m.take(listWeight+pieces*(2*slotWeight), n.at)
		parts := split(s, sep, limit)
		out := make([]any, len(parts))
		for i, p := range parts {
			out[i] = p
		}
		return out
	}
}

func replaceText(m *machine, n *callNode, a []any) any {
	s, old, with, limit := a[0].(string), a[1].(string), a[2].(string), -1
	if len(a) == 4 {
		limit = int(n.whole(m, a, 3))
	}
	count := strings.Count(s, old)
	if limit >= 0 {
		count = min(count, limit)
	}
	m.takeTimes(count, len(with), n.at)
	m.take(len(s), n.at)
	return strings.Replace(s, old, with, limit)
}

// takeTimes takes a*b bytes, which may be more than an int holds.
func (m *machine) takeTimes(a, b int, at span) {
	if b > 0 && a > maxBytes/b {
		a, b = maxBytes+1, 1
	}
	m.take(a*b, at)
}

func repeatText(m *machine, n *callNode, a []any) any {
	s, times := a[0].(string), n.whole(m, a, 1)
	if times < 0 {
		n.fail(m, "%s is %d: a text can't be repeated so often", m.quote(n.ats[1]), times)
	}
	if s == "" {
		return s
	}
	m.takeTimes(int(min(times, maxBytes+1)), len(s), n.at)
	return strings.Repeat(s, int(times))
}

func prepareRegexReplace(c *compiler, n *callNode, args []value) {
	n.pattern = c.literalPattern(args[1])
}

func regexReplace(m *machine, n *callNode, a []any) any {
	var p pattern
	if n.pattern != nil {
		p = *n.pattern
	} else {
		p = m.pattern(a[1].(string), n.ats[1])
	}
	return p.replace(m, a[0].(string), a[2].(string), n.at)
}

func joinTexts(m *machine, n *callNode, a []any) any {
	list, sep := a[0].([]any), text(a, 1, "")
	var b strings.Builder
	for i, v := range list {
		s, ok := plainText(v)
		if !ok {
			m.fail(n.ats[0], "", "join needs a list of texts, but %s[%d] is %s", m.quote(n.ats[0]), i, kindOf(v))
		}
		if i > 0 {
			b.WriteString(sep)
		}
		m.take(growth*(len(s)+len(sep)), n.at)
		b.WriteString(s)
	}
	return b.String()
}

// toText gives strings as they are, numbers and bools as JSON writes them, lists
// and objects as JSON.
func toText(m *machine, n *callNode, a []any) any {
	if s, ok := plainText(a[0]); ok {
		return s
	}
	return m.toJSON(a[0], n.at)
}

func fromBase64(m *machine, n *callNode, a []any) any {
	s := a[0].(string)
	m.take(len(s), n.at)
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		raw, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	}
	switch {
	case err != nil:
		n.fail(m, "%s is not base64", m.quote(n.ats[0]))
	case !utf8.Valid(raw):
		n.fail(m, "what %s holds is not text", m.quote(n.ats[0]))
	}
	return string(raw)
}

// hashText gives SHA-256 in lower-case hex.
func hashText(m *machine, n *callNode, a []any) any {
	s := a[0].(string)
	m.step(len(s)/16, n.at)
	m.take(len(s)+64, n.at)
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// hmacText gives HMAC-SHA-256 (RFC 2104) of the second argument in lower-case hex.
func hmacText(m *machine, n *callNode, a []any) any {
	s := a[1].(string)
	m.step(len(s)/16+16, n.at)
	m.take(len(s)+1024, n.at)
	h := hmac.New(sha256.New, []byte(a[0].(string)))
	h.Write([]byte(s))
	return hex.EncodeToString(h.Sum(nil))
}

// folded are letters that do not decompose into a base and accents.
var folded = strings.NewReplacer("ß", "ss", "æ", "ae", "œ", "oe", "ø", "o", "đ", "d", "ð", "d", "þ", "th", "ł", "l", "ı", "i")

// slug gives a name for a URL: lower-case letters and digits of ASCII, words
// joined by single hyphens.
func slug(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFKD.String(folded.Replace(strings.ToLower(s))) {
		switch {
		case r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(unicode.ToLower(r))
		case unicode.Is(unicode.Mn, r) || r == '\'' || r == '’':
		default:
			gap = true
		}
	}
	return b.String()
}

// mask hides all but the last four characters; a text of fewer than twelve is
// hidden whole.
func mask(s string) string {
	total, show := utf8.RuneCountInString(s), 0
	if total >= 12 {
		show = 4
	}
	return strings.Repeat("*", total-show) + s[runeOffset(s, total-show):]
}

// uuid derives an id from the event, the place of the call and the turns of the
// loops around it: version 8 of RFC 9562, the first bits of a SHA-256.
func uuid(m *machine, n *callNode, _ []any) any {
	m.step(50, n.at)
	m.take(512, n.at)
	place := m.text.src.Place
	offset := int(n.at.from)
	if place == "" {
		place = m.text.src.position(offset).String()
	}
	key := strconv.AppendQuote(make([]byte, 0, 256), m.in.Seed)
	key = strconv.AppendInt(strconv.AppendQuote(key, place), int64(offset), 10)
	for _, f := range m.frames[:n.place] {
		key = strconv.AppendInt(append(key, ' '), int64(f.index), 10)
	}
	b := sha256.Sum256(key)
	b[6] = b[6]&0x0f | 0x80
	b[8] = b[8]&0x3f | 0x80
	x := hex.EncodeToString(b[:16])
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}
