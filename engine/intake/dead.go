package intake

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/format"
	"github.com/syncd/syncd/engine/journal"
)

// maxFailures is how many of a dead letter's failures are kept, the latest.
const maxFailures = 10

// envelope is a draft within a dead letter.
type envelope struct {
	ContentType string          `json:"content_type,omitempty"`
	Raw         []byte          `json:"raw,omitempty"`
	Names       []string        `json:"names,omitempty"`
	Values      json.RawMessage `json:"values,omitempty"`
	Body        json.RawMessage `json:"body,omitempty"`
	Meta        json.RawMessage `json:"meta,omitempty"`
	Unread      bool            `json:"unread,omitempty"`   // Raw is a record that its source could not read
	Withheld    bool            `json:"withheld,omitempty"` // nothing of it is kept
}

// deadLetter keeps d, which record has masked. Its key within the source is the
// event's id, in the path, since it has no position.
func (in *Intake) deadLetter(d *component.Draft, id journal.ID, at time.Time, fault error) journal.Exception {
	var withheld withheldError
	return journal.Exception{
		Key:       journal.Key{Source: in.source, Path: id.String()},
		EventID:   id.String(),
		EventTime: at,
		Envelope:  seal(d, errors.As(fault, &withheld)),
		Attempts:  1,
		Since:     at,
		Dead:      true,
		Errors:    []journal.Failure{{Time: at, Error: fault.Error()}},
	}
}

func seal(d *component.Draft, withheld bool) []byte {
	e := envelope{ContentType: d.ContentType, Raw: d.Raw, Names: d.Names, Meta: d.RawMeta, Unread: d.Fault != nil, Withheld: withheld}
	if d.Names != nil && !e.Unread {
		e.Values = encode(d.Values)
	}
	if d.Body != nil {
		e.Body, e.Raw, e.ContentType = encode(d.Body), nil, ""
	}
	if d.Meta != nil {
		e.Meta = encode(d.Meta)
	}
	b, err := json.Marshal(e)
	if err != nil { // meta that a source built wrongly: the payload is what counts
		e.Meta = nil
		b, _ = json.Marshal(e)
	}
	return b
}

// encode writes v as JSON; a value that JSON cannot hold is kept as its text.
func encode(v any) json.RawMessage {
	b, err := format.AppendJSON(nil, v)
	if err != nil {
		b, _ = format.AppendJSON(nil, fmt.Sprint(v))
	}
	return b
}

var errNotKept = errors.New("read dead letter: its content was not kept, since redact could not be applied to it")

// errUnread is the Fault of a draft that a dead letter keeps.
var errUnread = errors.New("the source could not read it")

// Open gives the draft that a dead letter of a source keeps, with a Fault if the
// source could not read it.
func Open(sealed []byte) (component.Draft, error) {
	var e envelope
	if err := json.Unmarshal(sealed, &e); err != nil {
		return component.Draft{}, fmt.Errorf("read dead letter: %w", err)
	}
	if e.Withheld {
		return component.Draft{}, errNotKept
	}
	d := component.Draft{ContentType: e.ContentType, Raw: e.Raw, Names: e.Names, RawMeta: e.Meta}
	if e.Body != nil {
		d.ContentType, d.Raw = "application/json", e.Body
	}
	if e.Unread {
		d.Fault = errUnread
	}
	if e.Names == nil || e.Unread {
		return d, nil
	}
	v, err := format.DecodeJSON(e.Values)
	if err != nil {
		return d, fmt.Errorf("read dead letter: %w", err)
	}
	d.Values, _ = v.([]any)
	if len(d.Values) != len(d.Names) {
		return d, fmt.Errorf("read dead letter: %d values for %d names", len(d.Values), len(d.Names))
	}
	return d, nil
}

// Retry takes a dead letter of this source in again, under the id and time it
// has. On success it is an event like any other and the dead letter is gone; a
// fault is added to its history and returned.
func (in *Intake) Retry(ctx context.Context, ex journal.Exception) error {
	in.retrying.Lock()
	defer in.retrying.Unlock()
	if err := in.stillDead(ctx, ex.ID); err != nil {
		return err
	}
	record, fault := in.again(ex)
	a := journal.Append{Source: in.source, DedupeWindow: in.common.DedupeWindow}
	if fault == nil {
		a.Records, a.Retried = []journal.Record{record}, []int64{ex.ID}
	} else {
		ex.Attempts++
		ex.Errors = append(slices.Clone(ex.Errors), journal.Failure{Time: in.now(), Error: fault.Error()})
		ex.Errors = ex.Errors[max(0, len(ex.Errors)-maxFailures):]
		a.Dead = []journal.Exception{ex}
	}
	if _, err := in.journal.Append(ctx, a); err != nil {
		return fmt.Errorf("retry dead letter %d: %w", ex.ID, err)
	}
	return fault
}

// stillDead keeps a dead letter that someone else has just retried or dropped
// from becoming an event twice.
func (in *Intake) stillDead(ctx context.Context, id int64) error {
	found, err := in.journal.Exceptions(ctx, journal.ExceptionQuery{ID: id, DeadOnly: true})
	if err == nil && len(found) == 0 {
		err = journal.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("retry dead letter %d: %w", id, err)
	}
	return nil
}

func (in *Intake) again(ex journal.Exception) (journal.Record, error) {
	d, err := Open(ex.Envelope)
	if err != nil {
		return journal.Record{}, err
	}
	if d.Fault != nil && in.parse != nil {
		if d, err = in.parse(d); err != nil {
			return journal.Record{}, err
		}
	}
	raw, err := hex.DecodeString(ex.EventID)
	if err != nil || len(raw) != len(journal.ID{}) {
		return journal.Record{}, fmt.Errorf("read dead letter: %q is not an event id", ex.EventID)
	}
	id := journal.ID(raw)
	return in.record(&d, id, ex.EventTime)
}

// Show gives body and meta of a source's dead letter as JSON, for people to look
// at; a body that is no JSON is a JSON string. Both are nil where nothing was kept.
func Show(sealed []byte) (body, meta json.RawMessage, err error) {
	d, err := Open(sealed)
	if errors.Is(err, errNotKept) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	switch {
	case d.Fault != nil:
		body = encode(string(d.Raw))
	case d.Names != nil:
		row := make(map[string]any, len(d.Names))
		for i, name := range d.Names {
			row[name] = d.Values[i]
		}
		body = encode(row)
	case json.Valid(d.Raw):
		body = d.Raw
	default:
		body = encode(string(d.Raw))
	}
	return body, d.RawMeta, nil
}
