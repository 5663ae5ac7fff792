package message

import (
	"bytes"
	"fmt"
	"net/url"
	"path"
	"strings"
)

// attach adds an attachment; encoding is the body's transfer encoding.
func (t *taking) attach(h header, typ string, params map[string]string, encoding string, body []byte) {
	name := baseName(fileName(h))
	if name == "" {
		name = fmt.Sprintf("part-%d%s", t.parts, ending(typ))
	}
	a := map[string]any{"name": name, "content_type": typ}
	if id := strings.Trim(h.text("Content-Id"), " <>"); id != "" {
		a["content_id"] = id
	}
	t.attachments = append(t.attachments, a)
	if !isText(typ, name) && transfer(encoding) == "base64" {
		if content, size, ok := unwrapBase64(body); ok {
			a["content"], a["encoding"], a["size"] = content, "base64", size
			return
		}
	}
	fill(a, name, typ, params["charset"], fromTransfer(encoding, body))
}

// Attachment is a file that came with something else than a mail, in the same shape. One
// without a name is named after its place.
func Attachment(name string, place int, typ, charset string, body []byte) map[string]any {
	if name = baseName(name); name == "" {
		name = fmt.Sprintf("part-%d%s", place, ending(typ))
	}
	a := map[string]any{"name": name, "content_type": typ}
	fill(a, name, typ, charset, body)
	return a
}

// fill adds the content, as text or as base64.
func fill(a map[string]any, name, typ, charset string, body []byte) {
	a["size"] = int64(len(body))
	if isText(typ, name) && !bytes.ContainsRune(wide(body, charset), 0) {
		a["content"] = toUTF8(body, charset)
	} else {
		a["content"], a["encoding"] = toBase64(body), "base64"
	}
}

// wide is the text in which a NUL means that it is none: charsets of two bytes a
// character are full of them.
func wide(body []byte, charset string) []byte {
	if c := strings.ToLower(charset); strings.HasPrefix(c, "utf-16") || strings.HasPrefix(c, "utf-32") {
		return nil
	}
	return body
}

// isText tells whether an attachment is text. Programs send files of text under any
// type: then the name tells.
func isText(typ, name string) bool {
	switch {
	case strings.HasPrefix(typ, "text/"), strings.HasPrefix(typ, "message/"), strings.HasPrefix(typ, "multipart/"),
		strings.HasSuffix(typ, "+json"), strings.HasSuffix(typ, "+xml"):
		return true
	}
	switch typ {
	case "application/json", "application/xml", "application/csv", "application/x-ndjson", "application/ndjson", "application/ics":
		return true
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".csv", ".tsv", ".txt", ".json", ".ndjson", ".jsonl", ".xml", ".ics", ".vcf", ".eml", ".edi", ".htm", ".html", ".log", ".asc":
		return true
	}
	return false
}

// fileName is the name of an attachment as its part has it.
func fileName(h header) string {
	for _, field := range []struct{ name, param string }{{"Content-Disposition", "filename"}, {"Content-Type", "name"}} {
		value := h.Get(field.name)
		_, params := contentType(value, "")
		if name := extended(value, field.param); name != "" {
			return name
		}
		if name := params[field.param]; name != "" {
			return decodeWords(name)
		}
	}
	return ""
}

// extended reads a parameter in the form of RFC 2231, which package mime knows for UTF-8
// alone: filename*=iso-8859-1”caf%E9, or in pieces, filename*0*=, filename*1*= …
func extended(value, name string) string {
	_, params := looseType(value)
	whole := params[name+"*"]
	for i := 0; i < 100 && params[name+"*"] == ""; i++ {
		piece := params[fmt.Sprintf("%s*%d*", name, i)]
		if piece == "" {
			piece = params[fmt.Sprintf("%s*%d", name, i)]
		}
		if piece == "" {
			break
		}
		whole += piece
	}
	set, rest, found := strings.Cut(whole, "'")
	_, text, again := strings.Cut(rest, "'")
	if !found || !again {
		return ""
	}
	if plain, err := url.PathUnescape(text); err == nil {
		text = plain
	}
	return clean(toUTF8([]byte(text), set))
}

// baseName is a file's name without the folders that some programs send along.
func baseName(name string) string {
	name = strings.TrimSpace(name)
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	if name == "." || name == ".." {
		return ""
	}
	return name
}

// ending is that of a name for a part without one.
func ending(typ string) string {
	switch typ {
	case "text/calendar", "application/ics":
		return ".ics"
	case ContentType, "message/global":
		return ".eml"
	case "text/html":
		return ".html"
	case "image/png", "image/gif", "image/jpeg", "application/pdf", "application/json", "application/xml", "application/zip", "text/csv", "text/xml":
		_, name, _ := strings.Cut(typ, "/")
		return "." + name
	}
	if strings.HasPrefix(typ, "text/") || strings.HasPrefix(typ, "message/") || strings.HasPrefix(typ, "multipart/") {
		return ".txt"
	}
	return ".bin"
}
