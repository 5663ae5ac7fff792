package journal

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"
)

// A frame's body is one version byte, then, compressed with s2, one or more
// sections. Each section is what one submission brought:
//
//	count
//	content types: number, each a string
//	shapes: number, each a content type's index and the names: number, each a string
//	records, each:
//	  id, 16 bytes
//	  time, Unix nanoseconds less the record's before it (signed)
//	  key, a string
//	  meta, bytes or nil
//	  payload: type<<1 and bytes or nil; or shape<<1|1 and the values
//
// Numbers are varints, strings and bytes have their length before them; bytes
// that may be nil have their length plus one, and 0 for nil.
const codecVersion = 1

// Bounds of a frame: whichever comes first. A larger record has a frame of its own.
const (
	maxEvents = 1000
	maxBytes  = 1 << 20
)

// recordHead is about what a record takes beside its key, meta and payload.
const recordHead = 16 + 4 + 8

// Tags of a value.
const (
	valueNil = iota
	valueFalse
	valueTrue
	valueInt
	valueFloat
	valueString
)

// section is a run of records as it goes into a frame.
type section struct {
	records []Record
	body    []byte
	blob    string // the file that holds the payload of its one record; "": none
	bytes   int    // payload and meta
	end     int    // of the body in its buffer
}

// encodeSections appends the records' sections to buf, each small enough for a
// frame, and describes them in list. Of each record, blobs names the file that holds its
// payload, or is ""; nil: no record has one. One that has is a section of its own. The
// bodies alias the buffer that it returns.
func encodeSections(buf []byte, list []section, records []Record, blobs []string) ([]byte, []section, error) {
	first, from := len(list), len(buf)
	for len(records) > 0 {
		n := fit(records, blobs)
		s := section{records: records[:n:n]}
		if blobs != nil {
			s.blob, blobs = blobs[0], blobs[n:]
		}
		var err error
		if buf, s.bytes, err = encodeSection(buf, s.records, s.blob != ""); err != nil {
			return buf, nil, err
		}
		s.end = len(buf)
		list = append(list, s)
		records = records[n:]
	}
	for i := first; i < len(list); i++ { // only now: the buffer may have moved
		list[i].body, from = buf[from:list[i].end], list[i].end
	}
	return buf, list, nil
}

// fit is how many of the records, at least one, go into one frame.
func fit(records []Record, blobs []string) int {
	size := 0
	for i := range records {
		size += records[i].Payload.Size() + len(records[i].Meta)
		if i > 0 && (i == maxEvents || size > maxBytes || blobs != nil && (blobs[i-1] != "" || blobs[i] != "")) {
			return i
		}
	}
	return len(records)
}

// encodeSection appends one section, without the payloads if those are elsewhere.
func encodeSection(buf []byte, records []Record, bare bool) ([]byte, int, error) {
	d := dictionary{}
	d.collect(records)
	buf = binary.AppendUvarint(buf, uint64(len(records)))
	buf = d.append(buf)
	size, last := 0, int64(0)
	for i := range records {
		r := &records[i]
		buf = append(buf, r.ID[:]...)
		at := r.Time.UnixNano()
		buf = binary.AppendVarint(buf, at-last)
		last = at
		buf = appendString(buf, r.Key)
		buf = appendBytes(buf, r.Meta)
		before := len(buf)
		p := r.Payload
		if bare {
			size += len(p.Raw)
			p.Raw = nil
		}
		var err error
		if buf, err = d.payload(buf, &p); err != nil {
			return buf, 0, fmt.Errorf("encode record %d: %w", i, err)
		}
		size += len(r.Meta) + len(buf) - before
	}
	return buf, size, nil
}

// room is about how many bytes the records take, but for payloads that are files.
func room(records []Record, blobs []string) int {
	n := 0
	for i := range records {
		r := &records[i]
		n += recordHead + len(r.Key) + len(r.Meta)
		if blobs == nil || blobs[i] == "" {
			n += len(r.Payload.Raw)
		}
		for _, v := range r.Payload.Values {
			n += 2
			switch v := v.(type) {
			case string:
				n += len(v)
			case int64, float64:
				n += 8
			}
		}
	}
	return n
}

// dictionary holds what the records of a section share.
type dictionary struct {
	types  []string
	shapes []shape
}

type shape struct {
	contentType int
	names       []string
}

func (d *dictionary) collect(records []Record) {
	for i := range records {
		p := &records[i].Payload
		if p.Names == nil {
			d.contentType(p.ContentType)
		} else {
			d.shape(p)
		}
	}
}

func (d *dictionary) contentType(name string) int {
	for i, t := range d.types {
		if t == name {
			return i
		}
	}
	d.types = append(d.types, name)
	return len(d.types) - 1
}

func (d *dictionary) shape(p *Payload) int {
	t := d.contentType(p.ContentType)
	// The latest first: records of one shape come in runs.
	for i := len(d.shapes) - 1; i >= 0; i-- {
		if s := &d.shapes[i]; s.contentType == t && sameNames(s.names, p.Names) {
			return i
		}
	}
	d.shapes = append(d.shapes, shape{t, p.Names})
	return len(d.shapes) - 1
}

func sameNames(a, b []string) bool {
	if len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) {
		return true
	}
	return slices.Equal(a, b)
}

func (d *dictionary) append(buf []byte) []byte {
	buf = binary.AppendUvarint(buf, uint64(len(d.types)))
	for _, t := range d.types {
		buf = appendString(buf, t)
	}
	buf = binary.AppendUvarint(buf, uint64(len(d.shapes)))
	for _, s := range d.shapes {
		buf = binary.AppendUvarint(buf, uint64(s.contentType))
		buf = binary.AppendUvarint(buf, uint64(len(s.names)))
		for _, n := range s.names {
			buf = appendString(buf, n)
		}
	}
	return buf
}

func (d *dictionary) payload(buf []byte, p *Payload) ([]byte, error) {
	if p.Names == nil {
		buf = binary.AppendUvarint(buf, uint64(d.contentType(p.ContentType))<<1)
		return appendBytes(buf, p.Raw), nil
	}
	if len(p.Values) != len(p.Names) {
		return buf, fmt.Errorf("%d values for %d names", len(p.Values), len(p.Names))
	}
	buf = binary.AppendUvarint(buf, uint64(d.shape(p))<<1|1)
	for i, v := range p.Values {
		var err error
		if buf, err = appendValue(buf, v); err != nil {
			return buf, fmt.Errorf("%s: %w", p.Names[i], err)
		}
	}
	return buf, nil
}

func appendValue(buf []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(buf, valueNil), nil
	case bool:
		if v {
			return append(buf, valueTrue), nil
		}
		return append(buf, valueFalse), nil
	case int64:
		return binary.AppendVarint(append(buf, valueInt), v), nil
	case float64:
		return binary.LittleEndian.AppendUint64(append(buf, valueFloat), math.Float64bits(v)), nil
	case string:
		return appendString(append(buf, valueString), v), nil
	}
	return buf, fmt.Errorf("a value of type %T cannot be stored", v)
}

func appendString(buf []byte, s string) []byte {
	return append(binary.AppendUvarint(buf, uint64(len(s))), s...)
}

func appendBytes(buf, b []byte) []byte {
	if b == nil {
		return append(buf, 0)
	}
	return append(binary.AppendUvarint(buf, uint64(len(b))+1), b...)
}

// nanos stores a time: Unix nanoseconds, 0 for the zero time.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func fromNanos(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
