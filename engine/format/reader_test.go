package format

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// opener makes a reader of a kind.
type opener func(io.Reader) (Reader, error)

func csvOpener(o Table) opener {
	return func(r io.Reader) (Reader, error) { return NewCSVReader(r, o) }
}

func arrayOpener(path ...string) opener {
	return func(r io.Reader) (Reader, error) { return NewJSONReader(r, Array{Path: path}) }
}

func ndjsonOpener(r io.Reader) (Reader, error) { return NewNDJSONReader(r, false) }

// told is a record, or what is wrong with one, as a line.
func told(rec Record, err error) string {
	switch e := err.(type) {
	case nil:
		if rec.Names == nil {
			return fmt.Sprintf("%d %v", rec.Place.Line, rec.Body)
		}
		var cells []string
		for i, name := range rec.Names {
			cells = append(cells, fmt.Sprintf("%s=%#v", name, rec.Values[i]))
		}
		return fmt.Sprintf("%d %s", rec.Place.Line, strings.Join(cells, " "))
	case *RecordError:
		return fmt.Sprintf("! %v [%s]", e, e.Raw)
	}
	return fmt.Sprintf("!! %v", err)
}

// all reads a document to its end, and gives the place of each record.
func all(t testing.TB, r Reader) (lines []string, places []Place) {
	t.Helper()
	for range 1_000_000 {
		rec, err := r.Next()
		if err == io.EOF {
			return lines, places
		}
		lines = append(lines, told(rec, err))
		fault, _ := err.(*RecordError)
		switch {
		case err == nil:
			places = append(places, rec.Place)
		case fault != nil:
			places = append(places, fault.Place)
		default:
			return lines, places
		}
	}
	t.Fatal("the document has no end")
	return nil, nil
}

// checkReader reads doc whole, in pieces of one byte, and from the end of each
// record on, and expects the same of all.
func checkReader(t testing.TB, open opener, doc []byte) []string {
	t.Helper()
	r, err := open(bytes.NewReader(doc))
	if err != nil {
		return []string{fmt.Sprintf("!! %v", err)}
	}
	lines, places := all(t, r)
	slow, err := open(iotest.DataErrReader(iotest.OneByteReader(bytes.NewReader(doc))))
	if err != nil {
		t.Fatal(err)
	}
	again, _ := all(t, slow)
	if diff := cmp.Diff(lines, again); diff != "" {
		t.Fatalf("%q, byte for byte: %s", doc, diff)
	}
	for i, at := range places {
		if at.Row != int64(i)+1 {
			t.Fatalf("%q: record %d has row %d", doc, i+1, at.Row)
		}
		if at.End == 0 {
			continue
		}
		if at.End > int64(len(doc)) || i > 0 && at.End < places[i-1].End {
			t.Fatalf("%q: record %d ends at %d", doc, i+1, at.End)
		}
		resumed, err := open(bytes.NewReader(doc))
		if err != nil {
			t.Fatal(err)
		}
		if err := resumed.(Resumer).Resume(bytes.NewReader(doc[at.End:]), at); err != nil {
			t.Fatalf("%q: resume behind record %d: %v", doc, i+1, err)
		}
		rest, there := all(t, resumed)
		if diff := cmp.Diff(withoutColumns(lines[i+1:]), withoutColumns(rest)); diff != "" {
			t.Fatalf("%q from record %d on: %s", doc, i+2, diff)
		}
		if diff := cmp.Diff(places[i+1:], there); diff != "" && len(there) > 0 {
			t.Fatalf("%q from record %d on: %s", doc, i+2, diff)
		}
	}
	return lines
}

// withoutColumns: who begins in the middle of a line cannot tell them.
func withoutColumns(lines []string) string {
	return regexp.MustCompile(", column [0-9]+").ReplaceAllString(strings.Join(lines, "\n"), "")
}

// corpus is a document and what a reader tells of it.
type corpus struct {
	name string
	open opener
	doc  string
	want []string
}

func checkCorpus(t *testing.T, tests []corpus) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, checkReader(t, tt.open, []byte(tt.doc))); diff != "" {
				t.Error(diff)
			}
		})
	}
}
