package journal

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"unsafe"

	"github.com/klauspost/compress/s2"

	"github.com/syncd/syncd/engine/row"
)

// textsAtOnce bounds what one text that is still in use keeps in memory.
const textsAtOnce = 256

var errFrame = errors.New("the frame is damaged")

// decodeFrame reads what encodeSections and pack wrote. The records alias a
// buffer of their own.
func decodeFrame(source string, first Position, count int, body []byte) (*Frame, error) {
	if len(body) == 0 || body[0] != codecVersion {
		return nil, fmt.Errorf("decode frame %s/%d: unknown version", source, first)
	}
	plain, err := s2.Decode(nil, body[1:])
	if err != nil {
		return nil, fmt.Errorf("decode frame %s/%d: %w", source, first, err)
	}
	f := &Frame{Source: source, First: first, Events: make([]Record, 0, max(0, min(count, maxEvents)))}
	d := decoder{buf: plain}
	for len(d.buf) > 0 && d.err == nil {
		d.section(f)
	}
	if d.err == nil && len(f.Events) != count {
		d.err = errFrame
	}
	if d.err != nil {
		return nil, fmt.Errorf("decode frame %s/%d: %w", source, first, d.err)
	}
	return f, nil
}

// decoder eats buf; the first error stays and stops everything.
type decoder struct {
	buf    []byte
	err    error
	types  []string
	shapes []shape
	values []any    // room for the values of the records to come
	texts  []string // room for those of them that are texts
}

func (d *decoder) fail() { d.err, d.buf = errFrame, nil }

func (d *decoder) section(f *Frame) {
	count := d.length(16)
	d.dictionary(count)
	var last int64
	for i := 0; i < count && d.err == nil; i++ {
		var r Record
		copy(r.ID[:], d.take(len(r.ID)))
		last += d.varint()
		r.Time = fromNanos(last)
		r.Key = d.string()
		r.Meta = json.RawMessage(d.bytes())
		before := len(d.buf)
		d.payload(&r.Payload, count-i)
		f.Bytes += len(r.Meta) + before - len(d.buf)
		f.Events = append(f.Events, r)
	}
}

// dictionary reads what the next records share; those just before often shared
// the same, whose strings are then taken over.
func (d *decoder) dictionary(records int) {
	n := d.length(1)
	old := d.types
	d.types = make([]string, 0, n)
	for i := range n {
		t := d.string()
		if i < len(old) && old[i] == t {
			t = old[i]
		}
		d.types = append(d.types, t)
	}
	n = d.length(2)
	d.shapes = d.shapes[:0]
	for range n {
		s := shape{contentType: d.index(len(d.types))}
		s.names = make([]string, 0, d.length(1))
		for range cap(s.names) {
			s.names = append(s.names, d.string())
		}
		d.shapes = append(d.shapes, s)
	}
}

func (d *decoder) payload(p *Payload, left int) {
	tag := d.uvarint()
	if d.err != nil {
		return
	}
	if tag&1 == 0 {
		if tag>>1 >= uint64(len(d.types)) {
			d.fail()
			return
		}
		p.ContentType = d.types[tag>>1]
		p.Raw = d.bytes()
		return
	}
	if tag>>1 >= uint64(len(d.shapes)) {
		d.fail()
		return
	}
	s := &d.shapes[tag>>1]
	n := len(s.names)
	if n > len(d.buf) {
		d.fail()
		return
	}
	p.ContentType, p.Names = d.types[s.contentType], s.names
	if len(d.values) < n {
		d.values = make([]any, max(n, min(n*left, len(d.buf))))
	}
	p.Values, d.values = d.values[:n:n], d.values[n:]
	for i := range p.Values {
		p.Values[i] = d.value()
	}
}

func (d *decoder) value() any {
	switch tag := d.take(1); {
	case tag == nil:
		return nil
	case tag[0] == valueNil:
		return nil
	case tag[0] == valueFalse:
		return false
	case tag[0] == valueTrue:
		return true
	case tag[0] == valueInt:
		return d.varint()
	case tag[0] == valueFloat:
		if b := d.take(8); b != nil {
			return math.Float64frombits(binary.LittleEndian.Uint64(b))
		}
	case tag[0] == valueString:
		return d.text()
	default:
		d.fail()
	}
	return nil
}

// text is a value that is text, one of many that share a piece of memory.
func (d *decoder) text() any {
	if len(d.texts) == 0 {
		d.texts = make([]string, min(textsAtOnce, len(d.values)+1))
	}
	s := &d.texts[0]
	d.texts = d.texts[1:]
	*s = d.string()
	return row.Text(s)
}

func (d *decoder) take(n int) []byte {
	if n > len(d.buf) {
		d.fail()
		return nil
	}
	b := d.buf[:n:n]
	d.buf = d.buf[n:]
	return b
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.buf)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.buf = d.buf[n:]
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.buf)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.buf = d.buf[n:]
	return v
}

// length reads a number of things that take at least size bytes each.
func (d *decoder) length(size int) int {
	v := d.uvarint()
	if v > uint64(len(d.buf)/size) {
		d.fail()
		return 0
	}
	return int(v)
}

func (d *decoder) index(below int) int {
	v := d.uvarint()
	if v >= uint64(below) {
		d.fail()
		return 0
	}
	return int(v)
}

// string aliases the buffer, which nobody changes any more.
func (d *decoder) string() string {
	b := d.take(d.length(1))
	if len(b) == 0 {
		return ""
	}
	return unsafe.String(&b[0], len(b))
}

func (d *decoder) bytes() []byte {
	switch n := d.uvarint(); {
	case n == 0:
		return nil
	case n-1 > uint64(len(d.buf)):
		d.fail()
		return nil
	default:
		return d.take(int(n - 1))
	}
}
