package intake

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/format"
	"github.com/syncd/syncd/engine/journal"
)

// maxKey bounds event.key: it is kept beside every event and in order_by's books.
const maxKey = 1 << 10

// record makes what the journal stores of d. On a fault too, d has been masked,
// or emptied where it could not be read.
func (in *Intake) record(d *component.Draft, id journal.ID, at time.Time) (journal.Record, error) {
	r := journal.Record{ID: id, Time: at, Content: d.Content}
	if d.Fault != nil {
		return r, in.unread(d)
	}
	if in.looks {
		if hidden, err := in.examine(d, &r); err != nil {
			return r, scrub(err, hidden)
		}
	}
	var err error
	if r.Payload, err = in.payload(d); err != nil {
		return r, err
	}
	r.Meta, err = meta(d)
	return r, err
}

// unread is the fault of a record that its source could not read. What cannot be
// read cannot be masked either, and why it cannot may repeat what it holds.
func (in *Intake) unread(d *component.Draft) error {
	if len(in.masks) == 0 {
		return d.Fault
	}
	text := "the record could not be read"
	if p := component.Placed(nil); errors.As(d.Fault, &p) {
		text = p.Place() + ": " + text
	}
	*d = component.Draft{}
	return withheldError{errors.New(text)}
}

// examine decodes what the common attributes look at, evaluates key and id on the
// event as it came, then masks it. The hidden values may stand in errors and in
// the key: they must not be stored there either.
func (in *Intake) examine(d *component.Draft, r *journal.Record) (hidden []string, err error) {
	if err := in.open(d); err != nil {
		if len(in.masks) == 0 {
			return nil, err
		}
		*d = component.Draft{}
		return nil, withheldError{err}
	}
	is := body(d)
	err = in.identify(r, &expr.Input{Body: is, Record: is, Meta: d.Meta})
	for _, m := range in.masks {
		hidden = m.apply(d, hidden)
	}
	in.keepRaw(d)
	if err == nil && holdsAny(r.Key, hidden) {
		r.Key = digest(r.Key)
	}
	return hidden, err
}

// withheldError is the fault of an event that must be masked and cannot even be
// read: its content is not kept.
type withheldError struct{ error }

func (e withheldError) Error() string {
	return e.error.Error() + "; it was not kept, since redact could not be applied to it"
}

// open decodes body and meta where they are needed.
func (in *Intake) open(d *component.Draft) error {
	form := d.Raw != nil && format.Of(d.ContentType) == format.Multipart
	if (in.usesMeta || form && in.masksBody) && d.RawMeta != nil {
		v, err := format.DecodeJSON(d.RawMeta)
		if err != nil {
			return fmt.Errorf("read meta: %w", err)
		}
		d.Meta, _ = v.(map[string]any)
	}
	if form && (in.usesMeta || len(in.masks) > 0) {
		return in.openForm(d)
	}
	if !in.usesBody || d.Names != nil || d.Raw == nil || d.Body != nil {
		return nil
	}
	v, err := format.Decode(d.ContentType, d.Raw)
	if err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	d.Body = v
	return nil
}

// openForm decodes a multipart form: its files are part of meta. Where something is to be
// masked, the form is stored as what it says, not as it came.
func (in *Intake) openForm(d *component.Draft) error {
	fields, files, err := format.DecodeMultipart(d.ContentType, d.Raw)
	if err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	if d.Meta == nil {
		d.Meta = map[string]any{}
	}
	d.Body, d.Meta["attachments"] = fields, files
	if len(in.masks) > 0 {
		d.Raw, d.RawMeta = nil, nil
	}
	return nil
}

// keepRaw forgets what was decoded only to be looked at: the raw form is stored.
func (in *Intake) keepRaw(d *component.Draft) {
	if d.Raw != nil && !in.masksBody {
		d.Body = nil
	}
	if d.RawMeta != nil && !in.masksMeta {
		d.Meta = nil
	}
}

// body is what expressions see of d.
func body(d *component.Draft) any {
	if d.Names == nil {
		return d.Body
	}
	row := make(map[string]any, len(d.Names))
	for i, name := range d.Names {
		row[name] = d.Values[i]
	}
	return row
}

// identify evaluates key and id. An id is remembered as a digest: its length is
// bounded, and nothing of the event stays in the state for it.
func (in *Intake) identify(r *journal.Record, input *expr.Input) error {
	input.Seed = r.ID.String()
	input.Event = expr.Event{ID: input.Seed, Source: in.source, Time: r.Time}
	if in.common.Key.IsSet() {
		key, err := in.common.Key.Str(input)
		if err != nil {
			return fmt.Errorf("key: %w", err)
		}
		if len(key) > maxKey {
			return fmt.Errorf("key: %d bytes; it may have %d", len(key), maxKey)
		}
		r.Key, input.Event.Key = key, key
	}
	if in.common.ID.IsSet() {
		id, err := in.common.ID.Str(input)
		if err != nil {
			return fmt.Errorf("id: %w", err)
		}
		if id != "" {
			r.Dedupe = digest(id)
		}
	}
	return nil
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// payload gives d's raw bytes or row as they are, or else its decoded body as JSON.
func (in *Intake) payload(d *component.Draft) (journal.Payload, error) {
	switch {
	case d.Names != nil:
		return journal.Payload{Names: d.Names, Values: d.Values}, nil
	case d.Raw != nil && (d.Body == nil || !in.masksBody):
		return journal.Payload{ContentType: d.ContentType, Raw: d.Raw}, nil
	}
	raw, err := format.AppendJSON(nil, d.Body)
	if err != nil {
		return journal.Payload{}, fmt.Errorf("store body: %w", err)
	}
	return journal.Payload{ContentType: "application/json", Raw: raw}, nil
}

func meta(d *component.Draft) ([]byte, error) {
	if d.Meta == nil {
		return d.RawMeta, nil
	}
	raw, err := format.AppendJSON(nil, d.Meta)
	if err != nil {
		return nil, fmt.Errorf("store meta: %w", err)
	}
	return raw, nil
}

// holdsAny tells whether text holds one of the values.
func holdsAny(text string, values []string) bool {
	return slices.ContainsFunc(values, func(v string) bool {
		return text == v || len(v) >= minScrub && strings.Contains(text, v)
	})
}
