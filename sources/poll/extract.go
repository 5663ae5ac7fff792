package poll

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/format"
)

// extract takes the records out of one page.
type extract struct {
	*run
	answer *answer
	skip   int64 // records that are on disk
	digest hash.Hash
	cursor any      // of this page
	names  []string // of its columns
	piece  piece
}

// A piece has about so much; a page that has more is committed in parts.
const (
	pieceRecords = 500
	pieceBytes   = 256 << 10
)

func newExtract(r *run, a *answer) *extract {
	return &extract{run: r, answer: a, skip: r.progress.Record, digest: sha256.New()}
}

// records takes out all.
func (e *extract) records(ctx context.Context) error {
	for {
		err := e.one(ctx)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if len(e.piece.drafts) >= pieceRecords || e.piece.bytes >= pieceBytes {
			if err := e.flush(ctx); err != nil {
				return err
			}
		}
	}
}

// one takes out the next record; io.EOF after the last.
func (e *extract) one(ctx context.Context) error {
	a := e.answer
	rec, err := a.reader.Next()
	if err == io.EOF {
		if a.count < e.skip {
			return e.changed()
		}
		if err := a.end(); err != nil {
			return err
		}
		return io.EOF
	}
	var bad *format.RecordError
	if err != nil && !errors.As(err, &bad) {
		return err
	}
	a.count++
	if bad == nil && rec.Raw == nil {
		if rec.Raw, err = row(rec); err != nil {
			return err
		}
	}
	if err := e.record(ctx, rec, bad); err != nil {
		return fmt.Errorf("record %d: %w", a.count, err)
	}
	return nil
}

// row is the text of a table's row, to tell it from others.
func row(rec format.Record) ([]byte, error) { return format.AppendJSON(nil, rec.Values) }

// record takes in one record, unless it is on disk.
func (e *extract) record(ctx context.Context, rec format.Record, bad *format.RecordError) error {
	raw := rec.Raw
	if bad != nil {
		raw = bad.Raw
	}
	e.digest.Write(raw)
	e.digest.Write([]byte{'\n'})
	if e.answer.count <= e.skip {
		if e.answer.count == e.skip && e.sum() != e.progress.Digest {
			return e.changed()
		}
		return nil
	}
	if bad != nil {
		return e.bad(ctx, bad)
	}
	d, err := e.draft(rec)
	if err != nil {
		return err
	}
	e.add(d, len(raw))
	return nil
}

func (e *extract) add(d component.Draft, size int) {
	if e.piece.drafts == nil {
		e.piece.drafts = make([]component.Draft, 0, e.usual)
	}
	e.piece.drafts = append(e.piece.drafts, d)
	e.piece.bytes += size
	e.progress.Total++
}

// bad makes a dead letter of a record that cannot be read, once: the next run may well
// meet it again.
func (e *extract) bad(ctx context.Context, bad *format.RecordError) error {
	sum := sha256.Sum256(bad.Raw)
	put := component.Put{Key: keyBad + hex.EncodeToString(sum[:12]), Value: e.now(), Expires: e.now().Add(knownFor)}
	met, since := false, time.Time{}
	if e.commit != nil {
		var err error
		if met, err = e.commit.in.Get(ctx, put.Key, &since); err != nil {
			return err
		}
	}
	if !met || e.now().Sub(since) > knownFor/2 {
		e.piece.state = append(e.piece.state, put)
	}
	if met {
		return nil
	}
	e.add(component.Draft{
		ContentType: e.answer.typ, Raw: bytes.Clone(bad.Raw), Names: e.names,
		Fault: fmt.Errorf("page %d, record %d: %w", e.progress.Page, e.answer.count, bad.Err),
	}, len(bad.Raw))
	return nil
}

// draft makes the event of a record, and folds its cursor.
func (e *extract) draft(rec format.Record) (component.Draft, error) {
	e.names = rec.Names
	d := component.Draft{Names: rec.Names, Values: rec.Values, Body: rec.Body}
	if rec.Names == nil {
		d.ContentType, d.Raw = "application/json", e.keep(rec.Raw)
	}
	if !e.looks() {
		return d, nil
	}
	value, err := decoded(&d)
	if err != nil {
		return d, err
	}
	if e.cfg.OnlyChanged {
		if d.Content, err = content(value); err != nil {
			return d, err
		}
	}
	return d, e.foldRecord(value)
}

// looks tells whether something must be known of each record.
func (e *extract) looks() bool {
	return e.cfg.OnlyChanged || e.cfg.Cursor != nil && e.cfg.Cursor.From == "record"
}

// keep copies the text of a record, next to those of others.
func (e *extract) keep(raw []byte) []byte {
	room := &e.run.room
	if cap(*room)-len(*room) < len(raw) {
		*room = make([]byte, 0, max(64<<10, len(raw)))
	}
	from := len(*room)
	*room = append(*room, raw...)
	return (*room)[from:len(*room):len(*room)]
}

// decoded is a draft's body; the draft keeps it for whoever comes after.
func decoded(d *component.Draft) (any, error) {
	if d.Names != nil {
		m := make(map[string]any, len(d.Names))
		for i, name := range d.Names {
			m[name] = d.Values[i]
		}
		return m, nil
	}
	if d.Body == nil {
		var err error
		if d.Body, err = format.DecodeJSON(d.Raw); err != nil {
			return nil, err
		}
	}
	return d.Body, nil
}

// content is a digest of a record, whatever the order of its fields.
func content(v any) (string, error) {
	raw, err := format.AppendJSON(nil, v)
	sum := sha256.Sum256(raw)
	return string(sum[:16]), err
}

func (e *extract) foldRecord(record any) error {
	c := e.cfg.Cursor
	if c == nil || c.From != "record" {
		return nil
	}
	in := &expr.Input{Record: record}
	if e.answer.body != nil {
		in.Response = e.answer.response()
	}
	v, err := c.Next.Eval(in)
	if err != nil {
		return fmt.Errorf("cursor.next: %w", err)
	}
	if e.cursor, err = c.fold(e.cursor, v, e.progress.Cursor.v); err != nil {
		return err
	}
	e.progress.Next.v, err = c.fold(e.progress.Next.v, v, e.progress.Cursor.v)
	return err
}

func (e *extract) sum() string { return base64.RawStdEncoding.EncodeToString(e.digest.Sum(nil)[:12]) }

// flush hands over a part of a page.
func (e *extract) flush(ctx context.Context) error {
	e.progress.Record, e.progress.Digest = e.answer.count, e.sum()
	p := e.piece
	e.piece = piece{}
	p.state = append(p.state, component.Put{Key: keyRun, Value: e.progress})
	e.stored = true
	return e.hand(ctx, p)
}

// changed makes the page be read from its beginning.
func (e *extract) changed() error {
	e.log.Warn("the page has changed since a part of it was taken in: it is read again from its beginning; records whose id is known are left out", "page", e.progress.Page)
	e.progress.Record, e.progress.Digest = 0, ""
	return errChanged
}
