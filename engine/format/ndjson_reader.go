package format

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// NDJSONReader reads one JSON value from each line; empty lines are none. Its
// records have their Raw text, and a Body unless that is not asked for.
type NDJSONReader struct {
	in      *input
	row     int64
	rawOnly bool
}

// NewNDJSONReader reads the lines of r. With rawOnly, a line is checked as by
// CheckJSON but not decoded.
func NewNDJSONReader(r io.Reader, rawOnly bool) (*NDJSONReader, error) {
	in, err := newInput(r, "")
	if err != nil {
		return nil, err
	}
	return &NDJSONReader{in: in, rawOnly: rawOnly}, nil
}

// Resume goes on behind the line at at.
func (n *NDJSONReader) Resume(rest io.Reader, at Place) error {
	n.in.resume(rest, at)
	n.row = at.Row
	return nil
}

// Next gives the next line's value.
func (n *NDJSONReader) Next() (Record, error) {
	for {
		place := Place{Row: n.row + 1, Line: n.in.line}
		raw, err := n.in.takeLine(&place)
		if err != nil && err != errTooLong {
			return Record{}, err
		}
		text := bytes.TrimSpace(raw)
		if len(text) == 0 {
			continue
		}
		n.row++
		if err != nil {
			return Record{}, recordError(place, raw, err)
		}
		body, err := readJSON(text, n.rawOnly)
		if err == nil {
			return Record{Raw: text, Body: body, Place: place}, nil
		}
		at := cap(raw) - cap(text) // what was trimmed from its beginning
		return Record{}, recordError(place, raw, jsonFault(err, at, n.row == 1 && len(text) == 1))
	}
}

func readJSON(raw []byte, rawOnly bool) (any, error) {
	if rawOnly {
		return nil, CheckJSON(raw)
	}
	return DecodeJSON(raw)
}

func jsonFault(err error, at int, opens bool) error {
	fault := err.(*SyntaxError)
	msg := errors.New(fault.Msg)
	if opens {
		msg = fmt.Errorf(`%w: a document over several lines has the format "json"`, msg)
	}
	return &cellError{at: at + fault.Offset, err: msg}
}

// takeLine consumes a line, and gives its text without the line break, valid until
// more is read, and where it ends. Of a line that is errTooLong it gives the beginning.
func (in *input) takeLine(place *Place) ([]byte, error) {
	size, err := in.lineEnd(0)
	switch err {
	case nil:
		line := in.text(size)
		text := trimBreak(line)
		in.advance(size, int64(len(line)-len(bytes.TrimSuffix(line, []byte{'\n'}))))
		place.End, place.EndLine = in.offset(), in.line
		return text, nil
	case errTooLong:
		text := cut(in.text(size))
		if failed := in.skipLine(); failed != nil {
			return nil, failed
		}
		place.End, place.EndLine = in.offset(), in.line
		return text, err
	}
	return nil, err
}
