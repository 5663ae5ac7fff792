package poll

import (
	"fmt"
	"io"

	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/format"
)

// whole decodes an answer and finds the records in it.
func (s *shape) whole(a *answer, in io.Reader, typ string, family format.Family, judge func(*answer) error) error {
	raw, err := io.ReadAll(io.LimitReader(in, largest+1))
	if err != nil {
		return err
	}
	if len(raw) > largest {
		return fmt.Errorf("the answer is longer than %d MiB, and cannot be read as a stream: records must be a plain path, and nothing else may look at the list", largest>>20)
	}
	if family == format.JSON && format.Of(typ) != format.JSON {
		typ = "application/json"
	}
	if a.body, err = format.Decode(typ, raw); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if err := judge(a); err != nil {
		return err
	}
	list, err := s.list(a, family)
	a.reader = &values{list: list}
	return err
}

func (s *shape) list(a *answer, family format.Family) ([]any, error) {
	in := &expr.Input{Response: a.response()}
	if !s.records.IsSet() {
		list, ok := a.body.([]any)
		if !ok {
			return nil, fmt.Errorf(`records: the answer is %s, no list; name the list in it: records = "response.body.…"`, describe(a.body))
		}
		return list, nil
	}
	if family == format.XML && s.plain {
		return inXML(a.body, s.path), nil
	}
	list, err := s.records.List(in)
	if err != nil {
		return nil, fmt.Errorf("records: %w", err)
	}
	return list, nil
}

// inXML follows path. One element is no list yet there, and none is nothing.
func inXML(v any, path []string) []any {
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// none has no records.
type none struct{}

func (none) Next() (format.Record, error) { return format.Record{}, io.EOF }

// values are records that are in memory.
type values struct {
	list []any
	raw  []byte
	row  int64
}

// Next implements format.Reader.
func (v *values) Next() (format.Record, error) {
	if len(v.list) == 0 {
		return format.Record{}, io.EOF
	}
	body := v.list[0]
	v.list[0], v.list = nil, v.list[1:]
	v.row++
	var err error
	if v.raw, err = format.AppendJSON(v.raw[:0], body); err != nil {
		return format.Record{}, err
	}
	return format.Record{Body: body, Raw: v.raw, Place: format.Place{Row: v.row}}, nil
}
