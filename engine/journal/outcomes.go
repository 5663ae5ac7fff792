package journal

import (
	"encoding/binary"
	"errors"
	"math"
	"sort"
	"time"
)

// partial marks, in a stored status, an event that is not settled though some of
// its deliveries have come to an end or to an exception.
const partial Status = 1 << 7

// result is what is kept of one event on one track.
type result struct {
	generation int64
	millis     uint32
	attempts   uint16
	status     Status
}

func (r *result) settled() bool { return r.status != 0 && r.status&partial == 0 }

// add counts further attempts; the counters stick at their ends.
func (r *result) add(attempts int, took time.Duration, generation int64) {
	r.attempts = uint16(min(int(r.attempts)+max(attempts, 0), math.MaxUint16))
	r.millis = uint32(min(int64(r.millis)+max(took.Milliseconds(), 0), math.MaxUint32))
	r.generation = generation
}

// outcomes is the row of one frame on one track.
type outcomes struct {
	first   Position
	results []result
	bytes   int64 // the source's, up to the frame's end; known while the frame is open
	stored  bool  // has a row
	dirty   bool
}

func (o *outcomes) last() Position { return o.first + Position(len(o.results)) - 1 }

func (o *outcomes) at(p Position) *result { return &o.results[p-o.first] }

func (o *outcomes) holds(p Position) bool { return p >= o.first && p <= o.last() }

// find is the row in list, ascending, that holds p, or nil.
func find(list []*outcomes, p Position) *outcomes {
	i := sort.Search(len(list), func(i int) bool { return list[i].last() >= p })
	if i < len(list) && list[i].holds(p) {
		return list[i]
	}
	return nil
}

// idle tells that the row says no more than a missing one does on a steps lane
// whose low has passed it.
func (o *outcomes) idle() bool {
	for i := range o.results {
		if o.results[i].status&^Nothing != 0 {
			return false
		}
	}
	return true
}

// outcomesVersion opens each stored row; another version may add a field per run,
// such as a hash of what was sent.
const outcomesVersion = 1

// encode appends the stored form: version, count, then runs of equal results:
// length, status, attempts, milliseconds, generation less that of the run before.
func (o *outcomes) encode(buf []byte) []byte {
	buf = append(buf, outcomesVersion)
	buf = binary.AppendUvarint(buf, uint64(len(o.results)))
	var generation int64
	for i := 0; i < len(o.results); {
		r := o.results[i]
		n := i + 1
		for n < len(o.results) && o.results[n] == r {
			n++
		}
		buf = binary.AppendUvarint(buf, uint64(n-i))
		buf = append(buf, byte(r.status))
		buf = binary.AppendUvarint(buf, uint64(r.attempts))
		buf = binary.AppendUvarint(buf, uint64(r.millis))
		buf = binary.AppendVarint(buf, r.generation-generation)
		generation = r.generation
		i = n
	}
	return buf
}

var errOutcomes = errors.New("a row of outcomes is damaged")

// decode reads what encode wrote.
func (o *outcomes) decode(body []byte) error {
	d := decoder{buf: body}
	if v := d.take(1); v == nil || v[0] != outcomesVersion {
		return errOutcomes
	}
	count := d.uvarint()
	if count > maxEvents {
		return errOutcomes
	}
	o.results = make([]result, 0, count)
	var generation int64
	for d.err == nil && len(d.buf) > 0 {
		n := d.uvarint()
		status := d.take(1)
		r := result{attempts: uint16(d.uvarint()), millis: uint32(d.uvarint())}
		generation += d.varint()
		if d.err != nil || n > count-uint64(len(o.results)) {
			return errOutcomes
		}
		r.status, r.generation = Status(status[0]), generation
		for range n {
			o.results = append(o.results, r)
		}
	}
	if d.err != nil || uint64(len(o.results)) != count {
		return errOutcomes
	}
	return nil
}

// beyond tells that the row says something of positions after p.
func (o *outcomes) beyond(p Position) bool {
	for q := max(o.first, p+1); q <= o.last(); q++ {
		if o.at(q).status != 0 {
			return true
		}
	}
	return false
}
