package format

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// LinesReader reads each line as a text, empty ones too.
type LinesReader struct {
	in  *input
	row int64
}

// NewLinesReader reads the lines of r, in an encoding as the WHATWG calls it.
func NewLinesReader(r io.Reader, encoding string) (*LinesReader, error) {
	in, err := newInput(r, encoding)
	if err != nil {
		return nil, err
	}
	return &LinesReader{in: in}, nil
}

// Resume goes on behind the line at at.
func (l *LinesReader) Resume(rest io.Reader, at Place) error {
	l.in.resume(rest, at)
	l.row = at.Row
	return nil
}

// Next gives the next line, without its line break.
func (l *LinesReader) Next() (Record, error) {
	place := Place{Row: l.row + 1, Line: l.in.line}
	line, err := l.in.takeLine(&place)
	if err != nil && err != errTooLong {
		return Record{}, err
	}
	l.row++
	if err == nil {
		err = l.in.check(line)
	}
	if err != nil {
		return Record{}, recordError(place, line, err)
	}
	return Record{Body: string(line), Place: place}, nil
}

// replacement is what decoding yields for what cannot be decoded.
var replacement = []byte("\ufffd")

// check tells whether all of text could be read in the encoding of the document.
// The error is a *cellError.
func (in *input) check(text []byte) error {
	if in.code != nil {
		if at := bytes.Index(text, replacement); at >= 0 {
			return &cellError{at: at, err: fmt.Errorf("this is not %s", in.code.name)}
		}
		return nil
	}
	if utf8.Valid(text) {
		return nil
	}
	for at := 0; ; {
		r, n := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && n == 1 {
			advice := `if the file is in another encoding, say so: encoding = "windows-1252"`
			if in.notText != "" {
				advice = in.notText
			}
			return &cellError{at: at, err: fmt.Errorf("byte 0x%02x is not valid UTF-8; %s", text[at], advice)}
		}
		at += n
	}
}

// WholeReader reads a document as one record.
type WholeReader struct {
	r      io.Reader
	decode func([]byte) (any, error)
	done   bool
}

// NewTextReader reads a document as one text, in an encoding as the WHATWG calls it.
func NewTextReader(r io.Reader, encoding string) (*WholeReader, error) {
	in, err := newInput(r, encoding)
	if err != nil {
		return nil, err
	}
	return &WholeReader{r: in, decode: func(text []byte) (any, error) {
		if err := in.check(text); err != nil {
			return nil, err
		}
		return string(text), nil
	}}, nil
}

// NewRawReader reads a document as one text, the base64 of its bytes.
func NewRawReader(r io.Reader) *WholeReader {
	return &WholeReader{r: r, decode: func(raw []byte) (any, error) {
		return base64.StdEncoding.EncodeToString(raw), nil
	}}
}

// Next gives the document, which may be as long as a record.
func (w *WholeReader) Next() (Record, error) {
	if w.done {
		return Record{}, io.EOF
	}
	raw, err := io.ReadAll(io.LimitReader(w.r, MaxRecord+1))
	if err != nil {
		return Record{}, err
	}
	w.done = true
	place := Place{Row: 1}
	if len(raw) > MaxRecord {
		return Record{}, &RecordError{Place: place, Raw: cut(raw), Err: fmt.Errorf("as one record it is %w", errTooLong)}
	}
	body, err := w.decode(raw)
	if err != nil {
		fault := syntaxError(raw, err.(*cellError).at, "%s", err)
		return Record{}, &RecordError{Place: Place{Row: 1, Line: int64(fault.Line)}, Column: fault.Column, Raw: cut(raw), Err: errors.New(fault.Msg)}
	}
	return Record{Body: body, Place: place}, nil
}

// Read makes an input the text that it has.
func (in *input) Read(p []byte) (int, error) {
	if in.pos == len(in.buf) && !in.fill() {
		return 0, in.err
	}
	n := copy(p, in.buf[in.pos:])
	in.pos += n
	return n, nil
}
