package format

import (
	"fmt"
	"io"
)

// Reader gives the records of one document, in order, without holding more of it
// than one record.
type Reader interface {
	// Next gives the next record, io.EOF after the last. After a *RecordError the
	// reader goes on behind the faulty record; every other error ends the document.
	Next() (Record, error)
}

// Resumer is a Reader that can go on in the middle of a document. It has been made
// to read the document from its beginning, of which it takes what the rest depends
// on (byte order mark, header), and goes on with rest, the document from at.End on,
// behind the record that stands at at. It is called before the first Next. A Reader
// that is no Resumer is read from the beginning, up to the Row that is known.
type Resumer interface {
	Resume(rest io.Reader, at Place) error
}

// Record is one record of a document. Rows of a table have Names and Values, all
// others a Body. Names are the same slice for all records of one shape and never
// change; Values and Body belong to the caller.
type Record struct {
	Names  []string
	Values []any // nil, bool, int64, float64 or string; other numbers as string
	Body   any
	// Raw is the JSON text of a record that is JSON, valid until the next Next; nil otherwise.
	Raw   []byte
	Place Place
}

// Place is where a record stands.
type Place struct {
	Row  int64 // 1 for the first record, faulty ones counted
	Line int64 // 1 for the first; 0 where there are no lines
	// End is the offset in the input just behind the record, from which a reader of the
	// same document can go on; 0 where it cannot.
	End     int64
	EndLine int64 // the line in which End stands; 0 where there are no lines
}

// RecordError is a record that cannot be read.
type RecordError struct {
	Place  Place
	Column int      // in characters, 1 for the first; 0: the record as a whole
	Raw    []byte   // its text, in UTF-8 if the document's encoding is known, cut after 64 KiB
	Names  []string // of the document, as in Record; nil: it has none, or they are not known yet
	Err    error
}

func (e *RecordError) Error() string {
	switch {
	case e.Place.Line > 0 && e.Column > 0:
		return fmt.Sprintf("line %d, column %d: %v", e.Place.Line, e.Column, e.Err)
	case e.Place.Line > 0:
		return fmt.Sprintf("line %d: %v", e.Place.Line, e.Err)
	}
	return fmt.Sprintf("record %d: %v", e.Place.Row, e.Err)
}

func (e *RecordError) Unwrap() error { return e.Err }
