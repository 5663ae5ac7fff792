package message

import (
	"html"
	"mime"
	"strings"
)

// content is what a part adds to what is read.
type content struct{ text, html string }

// taking is a mail that is being taken apart.
type taking struct {
	attachments []any
	parts       int
}

// part takes a part apart, or a whole mail, which is one too.
func (t *taking) part(h header, body []byte, depth int) content {
	typ, params := contentType(h.Get("Content-Type"), "text/plain")
	t.parts++
	if strings.HasPrefix(typ, "multipart/") {
		all, found := parts(body, params["boundary"], maxParts)
		switch {
		case !found:
			return content{text: lines(toUTF8(fromTransfer(h.Get("Content-Transfer-Encoding"), body), ""))}
		case depth >= maxDepth || t.parts+len(all) > maxParts:
			t.attach(h, typ, params, "", body)
			return content{}
		}
		return t.multipart(typ, all, depth)
	}
	encoding := h.Get("Content-Transfer-Encoding")
	body, footer := cutFooter(encoding, body)
	if !isRead(h, typ, params) {
		t.attach(h, typ, params, encoding, body)
		return content{text: footer}
	}
	body = fromTransfer(encoding, body)
	text := lines(toUTF8(body, params["charset"]))
	if typ == "text/html" {
		if footer != "" {
			text += "<pre>" + html.EscapeString(footer) + "</pre>"
		}
		return content{html: text}
	}
	if strings.EqualFold(params["format"], "flowed") {
		text = unflow(text, strings.EqualFold(params["delsp"], "yes"))
	}
	return content{text: join(add(add(nil, text), footer))}
}

// isRead tells a part that is read from an attachment.
func isRead(h header, typ string, params map[string]string) bool {
	if typ != "text/plain" && typ != "text/html" {
		return false
	}
	disposition, more := contentType(h.Get("Content-Disposition"), "inline")
	return disposition != "attachment" && more["filename"] == "" && params["name"] == ""
}

// multipart joins what its parts have to read. Of alternatives, which say the same, the
// text of one is not repeated in that of another; of all others, each adds to the text,
// also those that are HTML alone beside some that are not.
func (t *taking) multipart(typ string, all [][]byte, depth int) content {
	var texts, htmls []string
	read := make([]content, 0, len(all))
	plain := false
	for _, raw := range all {
		h, body := split(raw)
		c := t.part(h, body, depth+1)
		read = append(read, c)
		plain = plain || c.text != ""
	}
	for _, c := range read {
		if plain && c.text == "" && typ != "multipart/alternative" {
			c.text = htmlText(c.html)
		}
		texts, htmls = add(texts, c.text), add(htmls, c.html)
	}
	return content{join(texts), join(htmls)}
}

func add(all []string, text string) []string {
	if strings.TrimSpace(text) == "" {
		return all
	}
	return append(all, text)
}

// join puts texts below each other.
func join(texts []string) string {
	var b strings.Builder
	for i, t := range texts {
		if i > 0 && !strings.HasSuffix(texts[i-1], "\n") {
			b.WriteByte('\n')
		}
		b.WriteString(t)
	}
	return b.String()
}

// lines gives all lines the end that they have in events.
func lines(text string) string {
	if !strings.Contains(text, "\r") {
		return text
	}
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
}

// contentType reads the value of Content-Type or Content-Disposition; where it breaks
// the rules, as far as it can be told what was meant.
func contentType(value, without string) (string, map[string]string) {
	typ, params, err := mime.ParseMediaType(value)
	if err != nil || params == nil {
		typ, params = looseType(value)
	}
	if typ = strings.ToLower(typ); typ == "" || strings.HasPrefix(without, "text/") && !strings.Contains(typ, "/") {
		typ = without
	}
	return typ, params
}

// looseType reads parameters that are there twice, or not quoted though they must be.
func looseType(value string) (string, map[string]string) {
	fields := fieldsOf(value)
	params := map[string]string{}
	for _, f := range fields[1:] {
		name, v, _ := strings.Cut(f, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if _, known := params[name]; !known && name != "" {
			params[name] = strings.ReplaceAll(strings.Trim(strings.TrimSpace(v), `"`), `\"`, `"`)
		}
	}
	return strings.ToLower(strings.TrimSpace(fields[0])), params
}

// fieldsOf splits at semicolons outside of quotes.
func fieldsOf(value string) []string {
	var fields []string
	quoted, start := false, 0
	for i := range len(value) {
		switch {
		case value[i] == '"' && (i == 0 || value[i-1] != '\\'):
			quoted = !quoted
		case value[i] == ';' && !quoted:
			fields, start = append(fields, value[start:i]), i+1
		}
	}
	return append(fields, value[start:])
}
