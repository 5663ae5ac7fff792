package format

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// Array says where the records of a JSON document stand.
type Array struct {
	// Path leads from the root through objects to an array, whose elements are the
	// records. Empty: a root that is an array has them, any other is itself the only one.
	Path     []string
	RawOnly  bool // elements are checked as by CheckJSON, and not decoded
	KeepRest bool // for Rest; the rest may then be as long as a record
}

// JSONReader reads the elements of an array in a JSON document one by one. Records
// have their Raw text, and a Body unless that is not asked for. An element that is
// no JSON costs itself alone as long as its brackets and quotes are balanced; a
// document that is broken around the elements is a *SyntaxError.
type JSONReader struct {
	o     Array
	in    *input
	start int64 // offset at which the line that in stands in begins; -1: not known
	row   int64
	state jsonState
	open  int // objects around the array
	rest  []byte
}

type jsonState int

const (
	jsonBefore jsonState = iota // nothing has been read
	jsonFirst                   // behind the array's opening bracket
	jsonBehind                  // behind an element
	jsonAfter                   // behind the array
	jsonDone
)

// NewJSONReader reads the document in r.
func NewJSONReader(r io.Reader, o Array) (*JSONReader, error) {
	in, err := newInput(r, "")
	if err != nil {
		return nil, err
	}
	return &JSONReader{o: o, in: in, start: in.base + int64(in.pos)}, nil
}

// Resume goes on behind the element at at.
func (j *JSONReader) Resume(rest io.Reader, at Place) error {
	j.in.resume(rest, at)
	j.start, j.row = -1, at.Row
	j.state, j.open = jsonBehind, len(j.o.Path)
	return nil
}

// Next gives the next element.
func (j *JSONReader) Next() (Record, error) {
	if j.state == jsonBefore {
		if err := j.enter(); err != nil {
			return Record{}, err
		}
	}
	switch j.state {
	case jsonFirst, jsonBehind:
		more, err := j.another()
		if err != nil {
			return Record{}, err
		}
		if more {
			return j.element()
		}
		j.state = jsonAfter
		fallthrough
	case jsonAfter:
		if err := j.leave(); err != nil {
			return Record{}, err
		}
		j.state = jsonDone
	case jsonBefore: // the root is the only record
		j.state = jsonAfter
		return j.element()
	}
	return Record{}, io.EOF
}

// Rest is the document with null in place of the array, once Next has given io.EOF.
func (j *JSONReader) Rest() (any, error) {
	if j.state != jsonDone || !j.o.KeepRest {
		return nil, errors.New("read the rest of a JSON document: its array has not been read to the end")
	}
	if len(j.rest) == 0 {
		return nil, nil
	}
	return DecodeJSON(j.rest)
}

// enter goes to the first element, or stays before a root that is the only record.
func (j *JSONReader) enter() error {
	for _, name := range j.o.Path {
		found, err := j.member(name)
		if err != nil {
			return err
		}
		if !found {
			j.state = jsonAfter
			return nil
		}
	}
	c, err := j.peek()
	switch {
	case err != nil:
		return err
	case c == '[':
		j.state = jsonFirst
		j.in.pos++
		return nil
	case len(j.o.Path) == 0:
		return nil
	case c == 'n':
		j.state = jsonAfter
		return j.pass()
	}
	return j.fault("%q is no list", j.o.Path[len(j.o.Path)-1])
}

// member goes to the value of a member of the object that begins here.
func (j *JSONReader) member(name string) (found bool, err error) {
	c, err := j.peek()
	if err != nil {
		return false, err
	}
	if c == 'n' && j.open > 0 {
		return false, j.pass()
	}
	if c != '{' {
		return false, j.fault("no object, and so nothing called %q in it", name)
	}
	j.take(1)
	j.open++
	var names []string
	for first := true; ; first = false {
		key, err := j.key(first)
		if err != nil {
			return false, err
		}
		switch {
		case key == nil && len(names) == 0:
			return false, j.fault("nothing is called %q: the object is empty", name)
		case key == nil:
			return false, j.fault("nothing is called %q; there are %s", name, some(names))
		case *key == name:
			return true, nil
		}
		if len(names) < 50 {
			names = append(names, *key)
		}
		if err := j.pass(); err != nil {
			return false, err
		}
	}
}

// key reads a member's name and the colon; nil at the end of the object.
func (j *JSONReader) key(first bool) (*string, error) {
	c, err := j.peek()
	if err != nil {
		return nil, err
	}
	if c == '}' {
		j.take(1)
		return nil, nil
	}
	if !first {
		if c != ',' {
			return nil, j.fault("expected ',' or '}', found %q", rune(c))
		}
		j.take(1)
		if c, err = j.peek(); err != nil {
			return nil, err
		}
	}
	if c != '"' {
		return nil, j.fault("expected a name in quotes, found %q", rune(c))
	}
	size, err := j.size()
	if err != nil {
		return nil, err
	}
	name, err := DecodeJSON(j.in.text(size))
	if err != nil {
		return nil, j.fault("%s", err.(*SyntaxError).Msg)
	}
	j.take(size)
	if c, err = j.peek(); err == nil && c != ':' {
		err = j.fault("expected ':' after the name, found %q", rune(c))
	}
	if err != nil {
		return nil, err
	}
	j.take(1)
	key := name.(string)
	return &key, nil
}

// another goes to the next element; false: behind the array's end.
func (j *JSONReader) another() (bool, error) {
	c, err := j.peek()
	switch {
	case err != nil:
		return false, err
	case c == ']':
		j.in.pos++
		j.keep([]byte("null"))
		return false, nil
	case j.state == jsonBehind && c != ',':
		return false, j.fault("expected ',' or ']' behind an element, found %q", rune(c))
	case j.state == jsonFirst:
		return true, nil
	}
	j.in.pos++
	if c, err = j.peek(); err == nil && (c == ']' || c == ',') {
		err = j.fault("expected an element behind ',', found %q", rune(c))
	}
	return true, err
}

// element reads one; it is the caller's that one begins here.
func (j *JSONReader) element() (Record, error) {
	if j.state != jsonAfter {
		j.state = jsonBehind
	}
	if _, err := j.peek(); err != nil {
		return Record{}, err
	}
	j.row++
	place := Place{Row: j.row, Line: j.in.line}
	column := j.column()
	size, err := j.size()
	if err == errTooLong {
		raw := cut(j.in.text(size))
		if err := j.skip(); err != nil {
			return Record{}, err
		}
		return Record{}, &RecordError{Place: j.end(place), Column: column, Raw: raw, Err: errTooLong}
	}
	if err != nil {
		return Record{}, err
	}
	raw := j.in.text(size)
	body, err := readJSON(raw, j.o.RawOnly)
	j.count(raw)
	j.in.pos += size
	place = j.end(place)
	if err != nil {
		return Record{}, elementError(place, column, raw, err.(*SyntaxError))
	}
	return Record{Raw: raw, Body: body, Place: place}, nil
}

// end notes where the element ends. In another encoding that cannot be told, and
// the root can have nothing behind it.
func (j *JSONReader) end(place Place) Place {
	if j.in.code == nil && j.state == jsonBehind {
		place.End, place.EndLine = j.in.offset(), j.in.line
	}
	return place
}

func elementError(place Place, column int, raw []byte, fault *SyntaxError) *RecordError {
	e := &RecordError{Place: place, Raw: cut(raw)}
	switch {
	case fault.Line == 1 && column == 0:
		e.Err = errors.New(fault.Msg)
	case fault.Line == 1:
		e.Column, e.Err = column+fault.Column-1, errors.New(fault.Msg)
	default:
		e.Err = fmt.Errorf("%s (line %d, column %d)", fault.Msg, place.Line+int64(fault.Line)-1, fault.Column)
	}
	return e
}

// leave reads what stands behind the array.
func (j *JSONReader) leave() error {
	for ; j.open > 0; j.open-- {
		for {
			key, err := j.key(false)
			if err != nil {
				return err
			}
			if key == nil {
				break
			}
			if err := j.pass(); err != nil {
				return err
			}
		}
	}
	if err := j.space(); err != io.EOF {
		if err == nil {
			err = j.fault("expected the end of the document, found %q", rune(j.in.buf[j.in.pos]))
		}
		return err
	}
	return nil
}

// pass goes behind a value that is no record, and keeps it for Rest.
func (j *JSONReader) pass() error {
	if _, err := j.peek(); err != nil {
		return err
	}
	if !j.o.KeepRest {
		return j.skip()
	}
	size, err := j.size()
	if err != nil {
		return err
	}
	if j.count(j.in.text(size)); len(j.rest)+size > MaxRecord {
		return j.fault("what stands beside the array is %w", errTooLong)
	}
	j.take(size)
	return nil
}

// size finds the length of the value that begins here.
func (j *JSONReader) size() (int, error) {
	var s jsonScan
	for seen := 0; ; {
		n, done := s.scan(j.in.buf[j.in.pos+seen:])
		if seen += n; done {
			return seen, nil
		}
		if seen > MaxRecord {
			return seen, errTooLong
		}
		if !j.in.fill() {
			if j.in.err == io.EOF && s.scalar {
				return seen, nil
			}
			return 0, j.cutOff()
		}
	}
}

// skip goes behind the value that begins here, however long it is.
func (j *JSONReader) skip() error {
	var s jsonScan
	for {
		n, done := s.scan(j.in.buf[j.in.pos:])
		j.count(j.in.text(n))
		if j.in.pos += n; done {
			return nil
		}
		if !j.in.fill() {
			if j.in.err == io.EOF && s.scalar {
				return nil
			}
			return j.cutOff()
		}
	}
}

// peek gives the next byte that is no white space.
func (j *JSONReader) peek() (byte, error) {
	if err := j.space(); err != nil {
		if err == io.EOF {
			err = j.cutOff()
		}
		return 0, err
	}
	return j.in.buf[j.in.pos], nil
}

func (j *JSONReader) space() error {
	for {
		for ; j.in.pos < len(j.in.buf); j.in.pos++ {
			switch j.in.buf[j.in.pos] {
			case ' ', '\t', '\r':
			case '\n':
				j.in.line++
				j.start = j.in.base + int64(j.in.pos) + 1
			default:
				return nil
			}
		}
		if !j.in.fill() {
			return j.in.err
		}
	}
}

// take consumes n bytes around the array.
func (j *JSONReader) take(n int) {
	j.keep(j.in.text(n))
	j.in.pos += n
}

func (j *JSONReader) keep(b []byte) {
	if j.o.KeepRest {
		j.rest = append(j.rest, b...)
	}
}

// count counts the lines of what is about to be consumed.
func (j *JSONReader) count(b []byte) {
	if n := bytes.Count(b, []byte{'\n'}); n > 0 {
		j.in.line += int64(n)
		j.start = j.in.base + int64(j.in.pos+bytes.LastIndexByte(b, '\n')) + 1
	}
}

// cutOff is the error for a document that ends too early.
func (j *JSONReader) cutOff() error {
	if j.in.err != io.EOF {
		return j.in.err
	}
	j.in.pos = len(j.in.buf)
	return j.fault("the document ends in the middle")
}

func (j *JSONReader) fault(format string, args ...any) error {
	at := int(j.in.base) + j.in.pos
	return &SyntaxError{Offset: at, Line: int(j.in.line), Column: j.column(), Msg: fmt.Errorf(format, args...).Error()}
}

// column of the next byte: in characters, or in bytes when the line is too long to
// be counted again; 0 when nobody knows where the line began.
func (j *JSONReader) column() int {
	if j.start < 0 {
		return 0
	}
	bytes := int(j.in.base + int64(j.in.pos) - j.start)
	if from := j.in.pos - bytes; from >= 0 && bytes < inputSize/32 {
		return utf8.RuneCount(j.in.buf[from:j.in.pos]) + 1
	}
	return bytes + 1
}
