package poll

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/format"
)

// Keys of the source's state.
const (
	keyCursor = "cursor" // what the next run begins from
	keyRun    = "run"    // progress of the run under way
	keyEpoch  = "epoch"  // when all began to be read anew, in nanoseconds: what pages were like before does not count
	keyBad    = "bad:"   // and a digest of a record that could not be read: when it was met; it is a dead letter
	keyPage   = "page:"  // and a digest of the request: its known
)

// progress is how far a run has come: all before is on disk. What people look for in a
// checkpoint stands first.
type progress struct {
	Page   int       `json:"page"`             // which is being read, from 1
	Record int64     `json:"record,omitempty"` // how many of its records are on disk
	Total  int64     `json:"total,omitempty"`  // records taken out, of all pages
	At     value     `json:"at"`               // token, URL, number or offset of that page; nil: the first
	Cursor value     `json:"cursor"`           // what the run asks for
	Next   value     `json:"next"`             // the cursor, as far as it is known
	Began  time.Time `json:"began"`
	Style  string    `json:"style,omitempty"`  // of the pagination
	Asks   string    `json:"asks"`             // digest of the request for its first page
	Digest string    `json:"digest,omitempty"` // of the records of the page that are on disk
	Last   string    `json:"last,omitempty"`   // digest of the page before
}

// known is what a page was like when it was taken in, under the digest of its request
// and of how it was read.
type known struct {
	ETag     string    `json:"etag,omitempty"`
	Modified string    `json:"modified,omitempty"`
	At       value     `json:"at"` // of the next page
	More     bool      `json:"more,omitempty"`
	Cursor   value     `json:"cursor"` // that its records or its answer had
	Time     time.Time `json:"time"`
}

// knownFor is how long a page is remembered that is not asked for any more.
const knownFor = 7 * 24 * time.Hour

// value is a cursor or token: nil, bool, int64, float64, json.Number or string. As
// JSON it keeps its type.
type value struct{ v any }

// MarshalJSON writes the bare value.
func (v value) MarshalJSON() ([]byte, error) { return format.AppendJSON(nil, v.v) }

// UnmarshalJSON reads a whole number as one.
func (v *value) UnmarshalJSON(raw []byte) (err error) {
	v.v, err = format.DecodeJSON(bytes.Clone(raw))
	return err
}

// load reads where the source stands: a run that goes on, or one that begins.
func (s *source) load(ctx context.Context, in component.State) (r *run, err error) {
	r = &run{source: s, cursor: value{s.cfg.initial()}}
	for key, into := range map[string]any{keyCursor: &r.cursor, keyEpoch: &r.epoch, keyRun: &r.progress} {
		found, err := in.Get(ctx, key, into)
		if err != nil {
			return nil, fmt.Errorf("read where the source stands: %w", err)
		}
		r.stored = r.stored || found && key == keyRun
		r.advanced = r.advanced || found && key == keyCursor
	}
	if r.stored && r.progress.Style == s.cfg.Paginate.style() && r.progress.Asks == r.asks() {
		return r, nil
	}
	return r, r.begin()
}

// asks tells runs apart that ask for different things: a place in one means nothing in
// another.
func (r *run) asks() string {
	first := r.progress
	first.Page, first.At = 1, value{}
	req, err := r.asker.request(&first)
	if err != nil {
		return "" // and there will be no answer either
	}
	return r.asker.digest(req, r.cfg.takes())
}

// begin makes r a run at its first page.
func (r *run) begin() error {
	from := r.cursor.v
	if c := r.cfg.Cursor; c != nil && c.Overlap > 0 && r.advanced {
		var err error
		if from, err = before(from, c.Overlap); err != nil {
			return component.Permanent(fmt.Errorf("overlap: %w", err))
		}
	}
	r.progress = progress{Began: r.now(), Style: r.cfg.Paginate.style(), Cursor: value{from}, Page: 1}
	r.progress.Asks = r.asks()
	return nil
}

// takes is what of an answer becomes records and cursor.
func (c *Config) takes() []any {
	if c.Cursor == nil {
		return []any{c.Records.Text()}
	}
	return []any{c.Records.Text(), c.Cursor.From, c.Cursor.Next.Text(), c.Cursor.Keep, c.Cursor.As}
}

func (c *Config) initial() any {
	if c.Cursor == nil {
		return nil
	}
	return c.Cursor.Initial
}
