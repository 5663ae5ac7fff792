package files

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/format"
)

// parser turns what a file holds into chunks, from a position on.
type parser struct {
	*run
	file *file
	has  *archive
	at   position
	left int64 // records that may yet be faulty, the last of which ends it
	emit func(*chunk) error
	// spare has drafts that are committed, whose room serves again; nil: there are none.
	spare <-chan []component.Draft

	chunk    *chunk
	consumed int64 // of the document, with the last record
}

// parse reads to the end. The last chunk is emitted only when the file has stayed as
// it was until then: what ends at its end might be half a record. The error is that
// of emit, or a trouble of the place; a fault of what the file holds is the last
// chunk's.
func (p *parser) parse(ctx context.Context) error {
	p.chunk = &chunk{at: p.at}
	err := p.all(ctx)
	var fault contentError
	switch {
	case errors.As(err, &fault):
		p.chunk.fault = fault.error
	case errors.Is(err, errChanged) || ctx.Err() != nil:
		return err
	case err != nil:
		return errors.Join(p.flush(), err) // all in the chunk is whole
	}
	p.chunk.last = true
	return p.flush()
}

func (p *parser) all(ctx context.Context) error {
	for ; p.at.Document < len(p.has.documents); p.at = (position{Document: p.at.Document + 1}) {
		if err := p.document(ctx, &p.has.documents[p.at.Document]); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) document(ctx context.Context, d *document) error {
	records, in, s, err := p.open(ctx, d)
	if err != nil {
		return p.unlessChanged(ctx, s, err)
	}
	err = p.records(d, records, in, s)
	if err == nil && p.has.hash == "" {
		p.chunk.hash = in.digest()
	}
	if err != nil || p.at.Document == len(p.has.documents)-1 {
		err = p.unlessChanged(ctx, s, err)
	}
	return errors.Join(err, s.Close())
}

// unlessChanged is errChanged in place of an err that is none, or a fault of what
// the file holds, when the file is not any more what it was. The file being read
// counts, if it is open, and not what has its name by now.
func (p *parser) unlessChanged(ctx context.Context, s *stream, err error) error {
	if err != nil && !errors.As(err, new(contentError)) {
		return err
	}
	if s != nil && s.file != nil {
		return cmp.Or(s.unchanged(p.file), err)
	}
	i, failed := p.fs.Stat(ctx, p.file.full)
	if failed == nil && !same(i, p.file.info) {
		failed = errChanged
	}
	return cmp.Or(failed, err)
}

// records takes what the position has not reached yet.
func (p *parser) records(d *document, records format.Reader, in *input, s *stream) error {
	m := newMaker(p.file, d.member)
	p.consumed = in.at
	for {
		record, err := records.Next()
		if err == io.EOF {
			break
		}
		if s.raw.err != nil {
			return s.raw.err
		}
		place, fault, ok := whatItIs(record, err)
		if !ok {
			return d.blame(err)
		}
		if place.Row <= p.at.Row {
			continue // an event already
		}
		if p.full() {
			if err := p.flush(); err != nil {
				return err
			}
		}
		if err := p.take(m, d, record, fault, place, in); err != nil {
			return err
		}
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return s.whose(err)
	}
	return s.raw.err
}

// whatItIs tells where a record stands, and why it is none if its reader could not
// make one of it; false: err is of the document.
func whatItIs(record format.Record, err error) (place format.Place, fault *format.RecordError, ok bool) {
	if err == nil {
		return record.Place, nil, true
	}
	if e := (*format.RecordError)(nil); errors.As(err, &e) {
		return e.Place, e, true
	}
	return format.Place{}, nil, false
}

// full tells whether the chunk is to be committed before another record is taken.
func (p *parser) full() bool {
	return len(p.chunk.drafts) >= p.chunkRows || p.chunk.bytes >= p.chunkBytes
}

// take adds a record to the chunk.
func (p *parser) take(m *maker, d *document, record format.Record, fault *format.RecordError, place format.Place, in *input) error {
	p.at.reaches(place)
	if fault != nil {
		p.chunk.faults++
		p.left--
		p.chunk.drafts = append(p.chunk.drafts, m.faulty(fault, d.member))
	} else {
		p.chunk.drafts = append(p.chunk.drafts, m.record(record))
	}
	p.chunk.at, p.chunk.in = p.at, in
	p.chunk.bytes += in.at - p.consumed
	p.consumed = in.at
	p.status.at(place.Row)
	if p.left == 0 {
		return faulty("%d records could not be read, as many as max_errors allows; the last: %w", p.config.MaxErrors, d.blame(fault))
	}
	return nil
}

// flush hands the chunk on.
func (p *parser) flush() error {
	c := p.chunk
	if c.in != nil {
		c.at.Hashed, c.at.Sum = c.in.hashed, c.in.state()
	}
	p.chunk = &chunk{at: c.at, drafts: p.room(len(c.drafts))}
	return p.emit(c)
}

// room is for the drafts of a chunk after one of so many.
func (p *parser) room(last int) []component.Draft {
	if last < p.chunkRows {
		return make([]component.Draft, 0, min(64, p.chunkRows))
	}
	select {
	case drafts := <-p.spare:
		return drafts
	default:
		return make([]component.Draft, 0, last)
	}
}

// open opens a document at the position.
func (p *parser) open(ctx context.Context, d *document) (format.Reader, *input, *stream, error) {
	if p.at.End == 0 {
		s, err := d.open(ctx, 0)
		if err != nil {
			return nil, nil, nil, err
		}
		return p.reader(s, 0, d)
	}
	head, err := d.open(ctx, 0)
	if err != nil {
		return nil, nil, nil, err
	}
	defer head.Close()
	records, err := head.records(p.config, head)
	if err != nil {
		return nil, nil, nil, head.whose(err)
	}
	resumer, ok := records.(format.Resumer)
	if !ok { // the format is another one by now
		s, err := d.open(ctx, 0)
		if err != nil {
			return nil, nil, nil, err
		}
		return p.reader(s, 0, d)
	}
	s, err := d.open(ctx, p.at.End)
	if err != nil {
		return nil, nil, nil, err
	}
	in, err := newInput(s, p.at.End, p.at)
	if err == nil {
		err = resumer.Resume(in, p.at.place())
	}
	if err != nil {
		return nil, nil, nil, s.fail(err)
	}
	return records, in, s, nil
}

func (p *parser) reader(s *stream, offset int64, d *document) (format.Reader, *input, *stream, error) {
	in, err := newInput(s, offset, p.at)
	if err != nil {
		return nil, nil, nil, errors.Join(err, s.Close())
	}
	records, err := s.records(p.config, in)
	if err != nil {
		return nil, nil, nil, s.fail(d.blame(err))
	}
	return records, in, s, nil
}

// blame says of which member an error is.
func (d *document) blame(err error) error {
	if d.member != "" {
		err = fmt.Errorf("%s: %w", d.member, err)
	}
	return contentError{err}
}
