package records

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/format"
)

// NDJSON has no attributes.
type NDJSON struct{}

func (n *NDJSON) name() string { return "ndjson" }

func (n *NDJSON) reader(r io.Reader) (format.Reader, error) { return format.NewNDJSONReader(r, true) }

func (n *NDJSON) one(raw []byte, _ []string) (format.Reader, error) {
	return n.reader(bytes.NewReader(raw))
}

// JSON says where the records of a document stand.
type JSON struct {
	Records string `hcl:"records" doc:"The way to the array, by the names of the objects around it. Without it, the document is the array; one that is something else is read as one record." example:"\"data.orders\""`
}

func (j *JSON) name() string { return "json" }

func (j *JSON) reader(r io.Reader) (format.Reader, error) {
	return format.NewJSONReader(r, format.Array{RawOnly: true, Path: j.path()})
}

func (j *JSON) path() []string {
	if j.Records == "" {
		return nil
	}
	return strings.Split(j.Records, ".")
}

func (j *JSON) one(raw []byte, _ []string) (format.Reader, error) {
	return format.NewJSONReader(io.MultiReader(strings.NewReader("["), bytes.NewReader(raw), strings.NewReader("]")), format.Array{RawOnly: true})
}

// Validate checks what the tags cannot say.
func (j *JSON) Validate(p *component.Problems) {
	if j.Records != "" && slices.Contains(strings.Split(j.Records, "."), "") {
		p.Error("records", "not a way to an array", `Write the names from the outside in, "data.orders".`)
	}
}

// XML says which elements are records.
type XML struct {
	Each string `hcl:"each" doc:"The element that is a record: its name, wherever it stands, or the way to it from the root. Without it, the document is one record; writing needs the way." example:"\"orders/order\""`
}

func (x *XML) name() string { return "xml" }

func (x *XML) reader(r io.Reader) (format.Reader, error) { return format.NewXMLReader(r, x.Each) }

func (x *XML) one(raw []byte, _ []string) (format.Reader, error) {
	return format.NewXMLReader(bytes.NewReader(raw), "")
}

// Validate checks what the tags cannot say.
func (x *XML) Validate(p *component.Problems) {
	if x.Each != "" && !format.IsXMLPath(x.Each) {
		p.Error("each", "not the name of an element", `Write a name, "order", or a way from the root, "orders/order"; prefixes of namespaces are left out.`)
	}
}

// Lines is text, line by line.
type Lines struct {
	Encoding string `hcl:"encoding" doc:"How characters are written, as the WHATWG calls it." example:"\"windows-1252\""`
}

// SetDefaults fills in what is not given.
func (l *Lines) SetDefaults() { l.Encoding = "utf-8" }

func (l *Lines) name() string { return "lines" }

func (l *Lines) reader(r io.Reader) (format.Reader, error) {
	return format.NewLinesReader(r, l.Encoding)
}

func (l *Lines) one(raw []byte, _ []string) (format.Reader, error) {
	text, err := format.Alone(raw, l.Encoding)
	if err != nil {
		return nil, err
	}
	return format.NewLinesReader(bytes.NewReader(text), "")
}

// Validate checks the encoding.
func (l *Lines) Validate(p *component.Problems) { checkEncoding(p, l.Encoding) }

// Text is a document that is one text.
type Text struct {
	Encoding string `hcl:"encoding" doc:"How characters are written, as the WHATWG calls it." example:"\"windows-1252\""`
}

// SetDefaults fills in what is not given.
func (t *Text) SetDefaults() { t.Encoding = "utf-8" }

func (t *Text) name() string { return "text" }

func (t *Text) reader(r io.Reader) (format.Reader, error) { return format.NewTextReader(r, t.Encoding) }

func (t *Text) one(raw []byte, _ []string) (format.Reader, error) {
	return format.NewTextReader(bytes.NewReader(raw), encodingOf(raw, t.Encoding))
}

// encodingOf the raw text of a record: what has been decoded is UTF-8.
func encodingOf(raw []byte, configured string) string {
	if utf8.Valid(raw) {
		return ""
	}
	return configured
}

// Validate checks the encoding.
func (t *Text) Validate(p *component.Problems) { checkEncoding(p, t.Encoding) }

// Raw has no attributes.
type Raw struct{}

func (r *Raw) name() string { return "raw" }

func (r *Raw) reader(in io.Reader) (format.Reader, error) { return format.NewRawReader(in), nil }

func (r *Raw) one(raw []byte, _ []string) (format.Reader, error) {
	return r.reader(bytes.NewReader(raw))
}
