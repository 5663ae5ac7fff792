package poll

import (
	"bytes"
	"errors"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/format"
)

var _ component.Parser = (*source)(nil)

// Parse reads a record again that could not be read, when its dead letter is retried.
func (s *source) Parse(d component.Draft) (component.Draft, error) {
	d.Fault = nil
	if format.Of(d.ContentType) != format.CSV {
		return d, format.CheckJSON(d.Raw)
	}
	t := table(d.ContentType)
	t.NoHeader, t.Columns = true, d.Names
	r, err := format.NewCSVReader(bytes.NewReader(d.Raw), t)
	if err != nil {
		return d, err
	}
	rec, err := r.Next()
	if err != nil {
		return d, err
	}
	if len(d.Names) > 0 && len(rec.Values) != len(d.Names) {
		return d, errors.New("it has another number of cells than the header")
	}
	return component.Draft{Names: rec.Names, Values: rec.Values, RawMeta: d.RawMeta}, nil
}
