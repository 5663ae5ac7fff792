package records

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/syncd/syncd/engine/format"
)

// Bounds of a document that is in memory as a whole.
const (
	// MaxRecords is also what one event may become.
	MaxRecords = 100_000
	// maxInMemory bounds what a document becomes: its texts, and perValue for each value.
	maxInMemory = 64 << 20
	perValue    = 32
)

var byteOrderMark = []byte("\ufeff")

// IsOne tells whether a document is one value, and no list of records: text, raw, json
// that names no array, xml that names no element.
func (f *Format) IsOne() bool {
	return f.Text != nil || f.Raw != nil || f.JSON != nil && f.JSON.Records == "" || f.XML != nil && f.XML.Each == ""
}

// IsBinary tells whether documents are written as something else than text in UTF-8.
func (f *Format) IsBinary() bool {
	e := f.encoding()
	return f.XLSX != nil || f.Raw != nil || e != "" && !strings.EqualFold(e, "utf-8")
}

// encoding of documents, "" where that cannot be configured.
func (f *Format) encoding() string {
	switch t := f.table(); {
	case t != nil:
		return t.Encoding
	case f.Fixed != nil:
		return f.Fixed.Encoding
	case f.Lines != nil:
		return f.Lines.Encoding
	case f.Text != nil:
		return f.Text.Encoding
	}
	return ""
}

// Decode reads a whole document: the list of its records or, if it IsOne, its value. Of
// one that isText, characters are decoded already, whatever encoding says. Errors: a
// *format.RecordError for a record that cannot be read, others for the document.
func (f *Format) Decode(raw []byte, isText bool) (any, error) {
	if isText && f.XLSX == nil && f.Raw == nil {
		raw = slices.Concat(byteOrderMark, bytes.TrimPrefix(raw, byteOrderMark))
	}
	r, err := f.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	list, err := readAll(r)
	if c, ok := r.(io.Closer); ok {
		err = errors.Join(err, c.Close())
	}
	if err != nil {
		return nil, err
	}
	if !f.IsOne() || f.JSON != nil && isArray(raw) {
		return list, nil
	}
	if len(list) == 0 {
		return nil, nil
	}
	return list[0], nil
}

func isArray(document []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(document, byteOrderMark), " \t\r\n"), []byte("["))
}

func readAll(r format.Reader) ([]any, error) {
	list, room := []any{}, maxInMemory
	for {
		rec, err := r.Next()
		switch {
		case err == io.EOF:
			return list, nil
		case err != nil:
			return nil, err
		case len(list) == MaxRecords:
			return nil, fmt.Errorf("there are more than %d records, the most that one event may become", MaxRecords)
		}
		v, err := valueOf(rec)
		if err != nil {
			return nil, err
		}
		if room -= weight(v); room < 0 {
			return nil, fmt.Errorf("record %d: up to here, the records take more than %d MiB of memory", rec.Place.Row, maxInMemory>>20)
		}
		list = append(list, v)
	}
}

// valueOf is a record as a body has it.
func valueOf(rec format.Record) (any, error) {
	if rec.Names != nil {
		m := make(map[string]any, len(rec.Names))
		for i, name := range rec.Names {
			m[name] = rec.Values[i]
		}
		return m, nil
	}
	if rec.Raw == nil || rec.Body != nil {
		return rec.Body, nil
	}
	v, err := format.DecodeJSON(rec.Raw)
	if err != nil {
		return nil, &format.RecordError{Place: rec.Place, Raw: bytes.Clone(rec.Raw[:min(len(rec.Raw), format.MaxRaw)]), Err: err}
	}
	return v, nil
}

// weight of a value in memory, roughly, but never much too little.
func weight(v any) int {
	n := perValue
	switch v := v.(type) {
	case string:
		n += len(v)
	case json.Number:
		n += len(v)
	case []any:
		for _, x := range v {
			n += weight(x)
		}
	case map[string]any:
		for _, x := range v {
			n += perValue + weight(x)
		}
	}
	return n
}

// Encode writes a whole document of a list of records, or of one record; if it IsOne,
// of its value. Columns that are not configured are the fields of all records, sorted.
func (f *Format) Encode(v any) ([]byte, error) {
	list, isList := v.([]any)
	switch {
	case f.JSON != nil && f.IsOne():
		return bounded(format.AppendJSON(nil, v))
	case f.XML != nil && f.IsOne():
		return bounded(format.AppendXML(nil, v))
	case !isList:
		list = []any{v}
	case f.IsOne():
		return nil, fmt.Errorf("%s is one record, and this is a list", f.Name())
	}
	columns, table := f.Layout()
	if table && len(columns) == 0 {
		columns = fieldsOf(list)
	}
	w, err := f.NewWriter(columns)
	if err != nil {
		return nil, err
	}
	return write(w, list)
}

func write(w format.Writer, list []any) ([]byte, error) {
	out := w.Begin(nil)
	var err error
	for i, record := range list {
		if out, err = w.Append(out, int64(i), record); err != nil {
			return nil, fmt.Errorf("record %d: %w", i+1, err)
		}
		if len(out) > maxInMemory {
			break
		}
	}
	f, ok := w.(format.Finisher)
	if !ok {
		return bounded(w.End(out), nil)
	}
	end, err := f.Finish(bytes.NewReader(out))
	return bounded(append(out, end...), err)
}

func bounded(out []byte, err error) ([]byte, error) {
	if err == nil && len(out) > maxInMemory {
		err = fmt.Errorf("the document is larger than %d MiB", maxInMemory>>20)
	}
	return out, err
}

// fieldsOf all records that are objects, sorted.
func fieldsOf(list []any) []string {
	names := map[string]bool{}
	for _, v := range list {
		m, _ := v.(map[string]any)
		for name := range m {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
