package format

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/text/encoding/htmlindex"
)

// XMLReader reads the elements of one name in an XML document, each as an object
// or text, as Decode does. Document types are skipped and no entity beyond XML's
// five is known, so that nothing is expanded or fetched. A document that is not
// well-formed ends at the fault, with a *SyntaxError.
type XMLReader struct {
	path  []string
	dec   *xml.Decoder
	limit *stint
	open  []string // names of the elements around
	row   int64
	root  bool // it has been seen
	done  bool
}

// NewXMLReader reads the elements of r that each names: "order" wherever it
// stands, outside of another such element, or a path from the root,
// "orders/order". Without each, the whole document is one record. Names are local
// ones. A byte order mark tells the encoding, or the XML declaration does.
func NewXMLReader(r io.Reader, each string) (*XMLReader, error) {
	x := &XMLReader{limit: &stint{}}
	if each != "" {
		x.path = strings.Split(each, "/")
	}
	text, marked, err := markedText(r)
	if err != nil {
		return nil, err
	}
	x.limit.r = text
	x.dec = xml.NewDecoder(bufio.NewReaderSize(x.limit, inputSize))
	x.dec.CharsetReader = func(name string, in io.Reader) (io.Reader, error) {
		if marked || isUTF8(name) {
			return in, nil
		}
		enc, err := htmlindex.Get(name)
		if err != nil {
			return nil, &CharsetError{Name: name, Msg: "unknown"}
		}
		return enc.NewDecoder().Reader(in), nil
	}
	return x, nil
}

// markedText is r without a byte order mark, decoded if that says UTF-16.
func markedText(r io.Reader) (text io.Reader, marked bool, err error) {
	b := bufio.NewReader(r)
	head, err := b.Peek(3)
	if err != nil && err != io.EOF {
		return nil, false, err
	}
	switch {
	case bytes.HasPrefix(head, []byte("\ufeff")):
		b.Discard(3) //nolint:errcheck // it has just been peeked at
		return b, true, nil
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		in, err := newInput(b, "")
		return in, true, err
	}
	return b, false, nil
}

// stint is a Reader that gives no more than a record may have until it is renewed.
type stint struct {
	r      io.Reader
	n      int
	failed error // of r
}

func (s *stint) Read(p []byte) (int, error) {
	if s.n > MaxRecord {
		return 0, errTooLong
	}
	n, err := s.r.Read(p)
	s.n += n
	if err != nil && err != io.EOF {
		s.failed = err
	}
	return n, err
}

// Next gives the next element.
func (x *XMLReader) Next() (Record, error) {
	if x.done {
		return Record{}, io.EOF
	}
	rec, err := x.next()
	switch {
	case err == nil:
		return rec, nil
	case err == io.EOF:
		x.done = true
		return Record{}, err
	}
	return Record{}, x.fault(err)
}

func (x *XMLReader) next() (Record, error) {
	for {
		x.limit.n = 0
		tok, err := x.dec.Token()
		switch {
		case err == io.EOF && !x.root:
			return Record{}, errors.New("no element in it")
		case err != nil:
			return Record{}, err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if x.root && len(x.open) == 0 {
				return Record{}, errors.New("a second root element")
			}
			x.root = true
			x.open = append(x.open, tok.Name.Local)
			if len(x.open) > maxDepth {
				return Record{}, fmt.Errorf("nested deeper than %d", maxDepth)
			}
			if x.isRecord() {
				return x.record(tok)
			}
		case xml.EndElement:
			x.open = x.open[:len(x.open)-1]
		case xml.CharData:
			if len(x.open) == 0 && len(bytes.TrimSpace(tok)) > 0 {
				return Record{}, errors.New("text outside of the root element")
			}
		}
	}
}

// isRecord tells whether the element that has just begun is one.
func (x *XMLReader) isRecord() bool {
	switch len(x.path) {
	case 0:
		return true
	case 1:
		return x.open[len(x.open)-1] == x.path[0]
	}
	return slices.Equal(x.open, x.path)
}

func (x *XMLReader) record(start xml.StartElement) (Record, error) {
	line, _ := x.dec.InputPos()
	x.row++
	body, err := readElement(x.dec, start, len(x.open))
	if err != nil {
		return Record{}, err
	}
	x.open = x.open[:len(x.open)-1]
	if len(x.path) == 0 {
		body = map[string]any{start.Name.Local: body}
	}
	return Record{Body: body, Place: Place{Row: x.row, Line: int64(line)}}, nil
}

func (x *XMLReader) fault(err error) error {
	line, column := x.dec.InputPos()
	e := &SyntaxError{Offset: int(x.dec.InputOffset()), Line: line, Column: column, Msg: err.Error()}
	var syntax *xml.SyntaxError
	var charset *CharsetError
	switch {
	case x.limit.failed != nil:
		return x.limit.failed
	case errors.As(err, &charset):
		return charset
	case errors.As(err, &syntax):
		e.Msg = syntax.Msg
	case err == errTooLong:
		e.Msg = "the element that begins before here is " + err.Error()
	case err == io.ErrUnexpectedEOF:
		e.Msg = "the document ends in the middle"
	}
	return e
}

// IsXMLPath tells whether each is a name, or names with slashes between them.
func IsXMLPath(each string) bool {
	for _, name := range strings.Split(each, "/") {
		if !isXMLName(name) || strings.Contains(name, ":") {
			return false
		}
	}
	return true
}
