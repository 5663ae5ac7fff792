package journal

import (
	"fmt"
	"time"

	"github.com/klauspost/compress/s2"
)

// txn is what one transaction of the writer gathers before it is flushed.
type txn struct {
	now      time.Time
	packs    []*pack
	fresh    []*Frame
	sources  []*source
	feeds    []*feed
	tracks   []*track
	rows     []rowRef
	loaded   map[rowKey]*outcomes
	refusals []refusal
	written  int64    // bytes of frames
	unnamed  []string // payloads whose frames went
	hashes   map[*Shared][]byte
	added    bool // an append was carried out
	topology *Topology
	taken    func()         // of topology; nil: nobody wants to know
	renamed  []Move         // sources
	flows    map[*flow]bool // that it concerns
	body     []byte
	packed   []byte
}

// rowKey names a row of outcomes: the track and the frame's first position.
type rowKey struct {
	track int64
	first Position
}

type rowRef struct {
	track *track
	row   *outcomes
}

// refusal is what was taken from a source's counter for this transaction.
type refusal struct {
	port *port
	n    int64
}

// begin empties t for the next transaction.
func (t *txn) begin(now time.Time) {
	t.now = now
	if cap(t.packed) > 2*maxBytes {
		t.packed = nil // a large record was an exception
	}
	clear(t.packs)
	clear(t.fresh)
	clear(t.rows)
	t.packs, t.fresh, t.sources, t.feeds, t.tracks, t.rows = t.packs[:0], t.fresh[:0], t.sources[:0], t.feeds[:0], t.tracks[:0], t.rows[:0]
	t.refusals, t.unnamed = t.refusals[:0], t.unnamed[:0]
	t.written, t.added, t.topology, t.taken, t.renamed = 0, false, nil, nil, nil
	if t.loaded == nil {
		t.loaded, t.flows, t.hashes = map[rowKey]*outcomes{}, map[*flow]bool{}, map[*Shared][]byte{}
	}
	clear(t.loaded)
	clear(t.hashes)
}

// restore gives back what a failed transaction took.
func (t *txn) restore(p *ports) {
	for _, r := range t.refusals {
		r.port.refused.Add(r.n)
		p.refused.Store(true)
	}
	t.refusals = t.refusals[:0]
}

func (t *txn) touchSource(s *source) {
	if !s.dirty {
		s.dirty = true
		t.sources = append(t.sources, s)
	}
}

func (t *txn) touchFeed(f *feed) {
	if !f.dirty {
		f.dirty = true
		t.feeds = append(t.feeds, f)
	}
}

func (t *txn) touchTrack(k *track) {
	if !k.dirty {
		k.dirty = true
		t.tracks = append(t.tracks, k)
	}
}

func (t *txn) touchRow(k *track, o *outcomes) {
	if !o.dirty {
		o.dirty = true
		t.rows = append(t.rows, rowRef{k, o})
	}
}

// pack is a frame being filled.
type pack struct {
	source   *source
	first    Position
	sections []section
	count    int
	bytes    int
	body     int
}

// add puts a section into the source's frame, closing that when it is full.
func (w *writer) add(s *source, x section) error {
	var p *pack
	for _, q := range w.txn.packs {
		if q.source == s {
			p = q
		}
	}
	if p == nil {
		p = &pack{source: s, first: s.head + 1}
		w.txn.packs = append(w.txn.packs, p)
	}
	if p.count > 0 && (p.count+len(x.records) > maxEvents || p.body+len(x.body) > maxBytes || x.blob != "" || p.sections[0].blob != "") {
		if err := w.emit(p); err != nil {
			return err
		}
	}
	p.sections = append(p.sections, x)
	p.count += len(x.records)
	p.bytes += x.bytes
	p.body += len(x.body)
	return nil
}

// emit writes the frame of p and makes p ready for the next.
func (w *writer) emit(p *pack) error {
	if p.count == 0 {
		return nil
	}
	t, s := &w.txn, p.source
	plain := p.sections[0].body
	if len(p.sections) > 1 {
		t.body = t.body[:0]
		for _, x := range p.sections {
			t.body = append(t.body, x.body...)
		}
		plain = t.body
	}
	if n := s2.MaxEncodedLen(len(plain)) + 1; cap(t.packed) < n {
		t.packed = make([]byte, n)
	}
	t.packed = t.packed[:cap(t.packed)]
	t.packed[0] = codecVersion
	body := t.packed[:1+len(s2.Encode(t.packed[1:], plain))]

	s.head = p.first + Position(p.count) - 1
	s.bytes += int64(p.bytes)
	info := frameInfo{first: p.first, count: p.count, size: int64(p.bytes), bytes: s.bytes, time: nanos(t.now)}
	var name any
	if blob := p.sections[0].blob; blob != "" {
		name = blob
		t.written += info.size
	}
	err := w.conn.exec("INSERT INTO frames (id, count, size, bytes, time, body, blob) VALUES (?, ?, ?, ?, ?, ?, ?)",
		frameID(s.id, info.first), info.count, info.size, info.bytes, info.time, body, name)
	if err != nil {
		return fmt.Errorf("write frame: %w", err)
	}
	s.push(info)
	t.written += int64(len(body))
	if len(s.feeds) > 0 {
		t.fresh = append(t.fresh, p.frame())
	}
	p.first, p.count, p.bytes, p.body = s.head+1, 0, 0, 0
	clear(p.sections)
	p.sections = p.sections[:0]
	return nil
}

// frame is what readers get: as if it had come from the disk.
func (p *pack) frame() *Frame {
	f := &Frame{Source: p.source.address, First: p.first, Bytes: p.bytes}
	if len(p.sections) == 1 {
		f.Events = p.sections[0].records // which are the journal's
	} else {
		f.Events = make([]Record, 0, p.count)
		for _, x := range p.sections {
			f.Events = append(f.Events, x.records...)
		}
	}
	for i := range f.Events {
		r := &f.Events[i]
		r.Dedupe, r.Time = "", time.Unix(0, r.Time.UnixNano()).UTC()
	}
	return f
}

// emitAll writes all frames begun, so that every head is where it will be.
func (w *writer) emitAll() error {
	for _, p := range w.txn.packs {
		if err := w.emit(p); err != nil {
			return err
		}
	}
	return nil
}

// flush writes all that the tasks have changed in the model.
func (w *writer) flush() error {
	t := &w.txn
	if err := w.emitAll(); err != nil {
		return err
	}
	if err := w.flushRefused(); err != nil {
		return err
	}
	if err := w.flushRows(); err != nil {
		return err
	}
	if err := w.upkeep(); err != nil {
		return err
	}
	for _, k := range t.tracks {
		k.dirty = false
		err := w.conn.exec("UPDATE tracks SET low = ?, bytes = ?, ended = ?, given_up = ? WHERE id = ?",
			k.low, k.bytes, k.end, k.givenUp, k.id)
		if err != nil {
			return fmt.Errorf("write track: %w", err)
		}
	}
	for _, f := range t.feeds {
		f.dirty = false
		err := w.conn.exec("UPDATE feeds SET folded = ?, ended = ?, delivered = ?, filtered = ?, dropped = ? WHERE id = ?",
			f.folded, f.end, f.delivered, f.filtered, f.dropped, f.id)
		if err != nil {
			return fmt.Errorf("write feed: %w", err)
		}
	}
	for _, s := range t.sources {
		s.dirty = false
		err := w.conn.exec("UPDATE sources SET head = ?, bytes = ?, duplicates = ?, refused = ?, unrouted = ?, last = ? WHERE id = ?",
			s.head, s.bytes, s.duplicates, s.refused, s.unrouted, nanos(s.last), s.id)
		if err != nil {
			return fmt.Errorf("write source: %w", err)
		}
	}
	return nil
}

// flushRefused adds to the sources what was refused since the last commit.
func (w *writer) flushRefused() error {
	if !w.j.ports.refused.Swap(false) {
		return nil
	}
	for address, p := range w.j.ports.all() {
		n := p.refused.Swap(0)
		if n == 0 {
			continue
		}
		w.txn.refusals = append(w.txn.refusals, refusal{p, n})
		s, err := w.source(address)
		if err != nil {
			return err
		}
		s.refused += n
		w.txn.touchSource(s)
	}
	return nil
}

// flushRows writes the outcomes that have changed. A steps lane needs no row that
// says only that all up to low came to nothing.
func (w *writer) flushRows() error {
	t := &w.txn
	for _, r := range t.rows {
		r.row.dirty = false
		if r.track.sink == "" && r.row.idle() && !r.row.beyond(min(r.track.low, r.track.givenUp)) {
			if !r.row.stored {
				continue
			}
			r.row.stored = false
			if err := w.conn.exec("DELETE FROM outcomes WHERE track = ? AND first = ?", r.track.id, r.row.first); err != nil {
				return fmt.Errorf("delete outcomes: %w", err)
			}
			continue
		}
		t.body = r.row.encode(t.body[:0])
		r.row.stored = true
		err := w.conn.exec("INSERT INTO outcomes (track, first, last, body) VALUES (?, ?, ?, ?) ON CONFLICT (track, first) DO UPDATE SET body = excluded.body",
			r.track.id, r.row.first, r.row.last(), t.body)
		if err != nil {
			return fmt.Errorf("write outcomes: %w", err)
		}
	}
	return nil
}

// source is the row of that address, made if need be.
func (w *writer) source(address string) (*source, error) {
	address = renamed(w.model.names, address)
	if s := w.model.sources[address]; s != nil {
		return s, nil
	}
	id, err := w.conn.insert("INSERT INTO sources (address, head, bytes, duplicates, refused, unrouted, last) VALUES (?, 0, 0, 0, 0, 0, 0)", address)
	if err != nil {
		return nil, fmt.Errorf("write source: %w", err)
	}
	s := &source{id: id, address: address}
	w.model.sources[address] = s
	return s, nil
}
