package format

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
)

// TextWriter writes texts: each on a line of its own, or as they are, one behind
// the other, or, Raw, the bytes of which they are the base64.
type TextWriter struct {
	Lines, Raw bool
}

// Begin appends nothing.
func (w *TextWriter) Begin(dst []byte) []byte { return dst }

// Append appends a text, number or bool.
func (w *TextWriter) Append(dst []byte, _ int64, record any) ([]byte, error) {
	switch record.(type) {
	case nil, map[string]any, []any:
		return dst, fmt.Errorf("write text: the record is %s, not a text", typeName(record))
	}
	text, err := Scalar(record)
	switch {
	case err != nil:
		return dst, fmt.Errorf("write text: %w", err)
	case w.Raw:
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return dst, errors.New("write bytes: the record is no base64")
		}
		return append(dst, raw...), nil
	case !w.Lines:
		return append(dst, text...), nil
	case strings.ContainsAny(text, "\r\n"):
		return dst, errors.New("write line: the text holds a line break")
	}
	return append(append(dst, text...), '\n'), nil
}

// End appends nothing.
func (w *TextWriter) End(dst []byte) []byte { return dst }

// encodedWriter writes what another writes, in another encoding.
type encodedWriter struct {
	Writer
	name string
	enc  *encoding.Encoder // nil: UTF-8
	mark string
	text []byte
}

// Encode has w's document written in an encoding as the WHATWG calls it, with a byte
// order mark if that is asked for. A record with a character that the encoding does
// not have is refused.
func Encode(w Writer, name string, mark bool) (Writer, error) {
	e := &encodedWriter{Writer: w, name: name}
	if !isUTF8(name) {
		enc, err := htmlindex.Get(name)
		if err != nil {
			return nil, &CharsetError{Name: name, Msg: "unknown"}
		}
		e.enc = enc.NewEncoder()
	}
	if mark {
		e.mark = "\ufeff"
	}
	if e.enc == nil && !mark {
		return w, nil
	}
	return e, nil
}

func (e *encodedWriter) Begin(dst []byte) []byte {
	return append(dst, e.encoded(e.Writer.Begin([]byte(e.mark)))...)
}

func (e *encodedWriter) Append(dst []byte, n int64, record any) ([]byte, error) {
	var err error
	if e.text, err = e.Writer.Append(e.text[:0], n, record); err != nil {
		return dst, err
	}
	if e.enc == nil {
		return append(dst, e.text...), nil
	}
	out, err := e.enc.Bytes(e.text)
	if err != nil {
		return dst, fmt.Errorf("write record: %q cannot be written in %s", e.culprit(), e.name)
	}
	return append(dst, out...), nil
}

func (e *encodedWriter) End(dst []byte) []byte { return append(dst, e.encoded(e.Writer.End(nil))...) }

// encoded is what stands around records. What cannot be written, in the name of a
// column, is a question mark.
func (e *encodedWriter) encoded(text []byte) []byte {
	if e.enc == nil || len(text) == 0 {
		return text
	}
	var out []byte
	for len(text) > 0 {
		_, n := utf8.DecodeRune(text)
		b, err := e.enc.Bytes(text[:n])
		if err != nil {
			b, _ = e.enc.Bytes([]byte{'?'}) // every encoding has it
		}
		out = append(out, b...)
		text = text[n:]
	}
	return out
}

// culprit is the first character that the encoding does not have.
func (e *encodedWriter) culprit() rune {
	for _, r := range string(bytes.ToValidUTF8(e.text, []byte("\ufffd"))) {
		if _, err := e.enc.String(string(r)); err != nil {
			return r
		}
	}
	return utf8.RuneError
}
