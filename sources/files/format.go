package files

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/format"
)

// records reads those of a document. What they must have closed is closed with s.
func (s *stream) records(c *Config, in io.Reader) (format.Reader, error) {
	r, err := c.Format.NewReader(in)
	if closer, ok := r.(io.Closer); ok && err == nil {
		s.closes = append(s.closes, closer.Close)
	}
	return r, err
}

// draft makes one of a record.
func draft(r format.Record, meta []byte) component.Draft {
	d := component.Draft{RawMeta: meta}
	switch {
	case r.Names != nil:
		d.Names, d.Values = r.Names, r.Values
	case r.Raw != nil:
		d.ContentType, d.Raw = "application/json", bytes.Clone(r.Raw)
	default:
		d.Body = r.Body
	}
	return d
}

// Parse reads the text of a record again that could not be read.
func (s *source) Parse(d component.Draft) (component.Draft, error) {
	r, err := s.config.Format.Reread(d.Raw, d.Names)
	if fault := (*format.RecordError)(nil); errors.As(err, &fault) {
		return d, fmt.Errorf("%scolumn %d of the record: %w", stood(d), fault.Column, fault.Err) // it is line 1 of itself
	}
	if err != nil {
		return d, err
	}
	return draft(r, d.RawMeta), nil
}

// stood tells where in which file a record was.
func stood(d component.Draft) string {
	var meta struct {
		File struct{ Path, Member string }
		Row  int64
	}
	if json.Unmarshal(d.RawMeta, &meta) != nil || meta.File.Path == "" {
		return ""
	}
	at := meta.File.Path
	if meta.File.Member != "" {
		at += ": " + meta.File.Member
	}
	return fmt.Sprintf("%s: record %d: ", at, meta.Row)
}
