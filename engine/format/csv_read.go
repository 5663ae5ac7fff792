package format

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// decodeCSV reads RFC 4180 into a list of objects by the header's names, or,
// without a header, into a list of lists. All values are strings.
func decodeCSV(raw []byte, delimiter rune, charset string, noHeader bool) (any, error) {
	text, err := toUTF8(raw, charset)
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma, r.ReuseRecord = delimiter, true
	var names []string
	list := []any{}
	for {
		row, err := r.Read()
		if err == io.EOF {
			return list, nil
		}
		if err != nil {
			return nil, csvError(text, err, len(row), len(names))
		}
		switch {
		case noHeader:
			list = append(list, cells(row))
		case names == nil:
			if names, err = header(row); err != nil {
				return nil, syntaxError(text, 0, "%s", err)
			}
		default:
			list = append(list, object(names, row))
		}
	}
}

func cells(row []string) []any {
	list := make([]any, len(row))
	for i, s := range row {
		list[i] = s
	}
	return list
}

func object(names, row []string) map[string]any {
	m := make(map[string]any, len(row))
	for i, s := range row {
		m[names[i]] = s
	}
	return m
}

// header names the columns; a column without a name is called after its place.
func header(row []string) ([]string, error) {
	names := make([]string, len(row))
	seen := map[string]bool{}
	for i, name := range row {
		if name == "" {
			name = "column" + strconv.Itoa(i+1)
		}
		if seen[name] {
			return nil, fmt.Errorf("two columns are called %q", name)
		}
		names[i], seen[name] = name, true
	}
	return names, nil
}

func csvError(text []byte, err error, got, want int) error {
	var fault *csv.ParseError
	if !errors.As(err, &fault) {
		return syntaxError(text, 0, "%s", err)
	}
	offset := lineStart(text, fault.Line) + max(fault.Column-1, 0)
	if errors.Is(err, csv.ErrFieldCount) {
		return syntaxError(text, offset, "%d fields where the first line has %d", got, want)
	}
	return syntaxError(text, offset, "%s", fault.Err)
}

// lineStart is the offset at which a line, counted from 1, begins.
func lineStart(text []byte, line int) int {
	offset := 0
	for ; line > 1; line-- {
		n := bytes.IndexByte(text[offset:], '\n')
		if n < 0 {
			return len(text)
		}
		offset += n + 1
	}
	return offset
}
