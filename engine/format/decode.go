package format

import (
	"bytes"
	"encoding/base64"
	"mime"
	"strings"

	"github.com/syncd/syncd/engine/message"
)

// Decode decodes a body by its Content-Type:
//
//   - JSON (also any +json) as its value, NDJSON as a list of values
//   - CSV and TSV as a list of objects by the header's names; with the
//     parameter header=absent (RFC 4180) as a list of lists
//   - a form as an object; a name that comes more than once has a list; of a multipart
//     form its fields, and DecodeMultipart gives the files as well
//   - XML (also any +xml) as an object: attributes as "@name", text beside children as "#text"
//   - a mail (message/rfc822) as package message takes it apart
//   - other text as a string
//   - anything else as a string of base64
//   - no type at all: JSON if it parses, else text
//
// Charsets are honoured where the type allows one. Errors: *SyntaxError, and
// *CharsetError for a charset that is unknown, or other than UTF-8 for JSON.
func Decode(contentType string, raw []byte) (any, error) {
	switch contentType {
	case "application/json":
		return DecodeJSON(raw)
	case "":
		if v, err := DecodeJSON(raw); err == nil {
			return v, nil
		}
		return decodeText(raw, "")
	}
	typ, params := mediaType(contentType)
	if typ == message.ContentType {
		return message.Decode(raw), nil
	}
	charset := params["charset"]
	switch Of(contentType) {
	case JSON:
		if err := wantUTF8(charset); err != nil {
			return nil, err
		}
		return DecodeJSON(raw)
	case NDJSON:
		if err := wantUTF8(charset); err != nil {
			return nil, err
		}
		return decodeNDJSON(raw)
	case CSV:
		delimiter := ','
		if typ == "text/tab-separated-values" {
			delimiter = '\t'
		}
		return decodeCSV(raw, delimiter, charset, params["header"] == "absent")
	case Form:
		return decodeForm(raw, charset)
	case Multipart:
		fields, _, err := decodeMultipart(raw, params["boundary"], false)
		return fields, err
	case XML:
		return decodeXML(raw, charset)
	case Text:
		return decodeText(raw, charset)
	}
	return base64.StdEncoding.EncodeToString(raw), nil
}

// Family is what a content type is read as.
type Family int

// The families that Decode knows; Binary is every other type.
const (
	Binary Family = iota
	JSON
	NDJSON
	CSV
	Form
	Multipart
	XML
	Text
)

// Of gives the family of a content type; an empty one is Text, which Decode
// reads as JSON if it can.
func Of(contentType string) Family {
	if contentType == "" {
		return Text
	}
	typ, _ := mediaType(contentType)
	switch typ {
	case "application/json", "text/json":
		return JSON
	case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines", "application/jsonlines":
		return NDJSON
	case "text/csv", "application/csv", "text/tab-separated-values":
		return CSV
	case "application/x-www-form-urlencoded":
		return Form
	case "multipart/form-data":
		return Multipart
	case "application/xml", "text/xml":
		return XML
	}
	switch {
	case strings.HasSuffix(typ, "+json"):
		return JSON
	case strings.HasSuffix(typ, "+xml"):
		return XML
	case strings.HasPrefix(typ, "text/"):
		return Text
	}
	return Binary
}

// mediaType parses a Content-Type; of one with faulty parameters the type still counts.
func mediaType(contentType string) (string, map[string]string) {
	typ, params, err := mime.ParseMediaType(contentType)
	if err != nil && typ == "" {
		typ, _, _ = strings.Cut(contentType, ";")
		typ = strings.ToLower(strings.TrimSpace(typ))
	}
	return typ, params
}

func decodeNDJSON(raw []byte) (any, error) {
	list := []any{}
	for start := 0; start < len(raw); {
		line := raw[start:]
		if n := bytes.IndexByte(line, '\n'); n >= 0 {
			line = line[:n]
		}
		if len(bytes.TrimSpace(line)) > 0 {
			v, err := DecodeJSON(line)
			if err != nil {
				fault := err.(*SyntaxError)
				return nil, syntaxError(raw, start+fault.Offset, "%s", fault.Msg)
			}
			list = append(list, v)
		}
		start += len(line) + 1
	}
	return list, nil
}

func decodeText(raw []byte, charset string) (any, error) {
	text, err := toUTF8(raw, charset)
	if err != nil {
		return nil, err
	}
	return string(text), nil
}
