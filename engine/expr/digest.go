package expr

import (
	"encoding/binary"
	"encoding/json"
	"hash/maphash"
	"maps"
	"math"
	"slices"
	"time"
)

// seed keys all digests of this process: they tell what has changed, and nothing
// about the secrets in it.
var seed = maphash.MakeSeed()

// given notes a value that is known at load and that the text uses.
func (c *compiler) given(v any) any {
	if !c.known.set {
		c.known.SetSeed(seed)
		c.known.set = true
	}
	WriteValue(&c.known.Hash, v)
	return v
}

// known digests what a text uses of the values that are known at load.
type known struct {
	maphash.Hash
	set bool
}

func (k *known) sum() uint64 {
	if !k.set {
		return 0
	}
	return k.Sum64()
}

// WriteDigest adds all that decides what e yields: its text, and the values known
// at load that it uses.
func (e Expr) WriteDigest(h *maphash.Hash) {
	switch t := e.tree.(type) {
	case nil:
		h.WriteByte('-')
	case *program:
		t.writeDigest(h)
	case fixed:
		h.WriteByte('c')
		WriteValue(h, t.v)
	case *fields:
		h.WriteByte('{')
		writeNumber(h, uint64(len(t.list)))
		for _, f := range t.list {
			WriteValue(h, f.Name)
			f.Value.WriteDigest(h)
		}
	case elements:
		h.WriteByte('[')
		writeNumber(h, uint64(len(t)))
		for _, x := range t {
			x.WriteDigest(h)
		}
	}
}

func (p *program) writeDigest(h *maphash.Hash) {
	h.WriteByte('x')
	WriteValue(h, p.src.Text)
	WriteValue(h, p.src.Place)
	writeNumber(h, p.known)
}

// WriteDigest adds all that decides what t yields.
func (t Template) WriteDigest(h *maphash.Hash) {
	if t.impl == nil {
		h.WriteByte('-')
		return
	}
	h.WriteByte('t')
	WriteValue(h, t.impl.src.Text)
	WriteValue(h, t.impl.src.Place)
	for _, p := range t.impl.parts {
		if p.hole != nil {
			h.WriteByte(byte(p.place))
			writeNumber(h, p.hole.known)
		}
	}
}

// WriteValue adds a value of the kinds that Input describes.
func WriteValue(h *maphash.Hash, v any) {
	switch v := v.(type) {
	case nil:
		h.WriteByte('n')
	case bool:
		h.WriteByte('b')
		if v {
			h.WriteByte(1)
		}
	case int64:
		h.WriteByte('i')
		writeNumber(h, uint64(v))
	case float64:
		h.WriteByte('f')
		writeNumber(h, math.Float64bits(v))
	case string:
		h.WriteByte('s')
		writeNumber(h, uint64(len(v)))
		h.WriteString(v)
	case json.Number:
		h.WriteByte('N')
		WriteValue(h, string(v))
	case time.Time:
		h.WriteByte('T')
		WriteValue(h, v.Format(time.RFC3339Nano))
	case []any:
		h.WriteByte('[')
		writeNumber(h, uint64(len(v)))
		for _, x := range v {
			WriteValue(h, x)
		}
	case map[string]any:
		h.WriteByte('{')
		writeNumber(h, uint64(len(v)))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			WriteValue(h, k)
			WriteValue(h, v[k])
		}
	default:
		h.WriteByte('?')
	}
}

func writeNumber(h *maphash.Hash, n uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], n)
	h.Write(b[:])
}

// digest is that of all rows.
func (t *Table) digest() uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, k := range slices.Sorted(maps.Keys(t.rows)) {
		WriteValue(&h, k)
		WriteValue(&h, t.rows[k])
	}
	return h.Sum64()
}
