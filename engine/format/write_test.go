package format

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func document(t *testing.T, w Writer, records ...any) string {
	t.Helper()
	out := w.Begin(nil)
	for n, r := range records {
		var err error
		if out, err = w.Append(out, int64(n), r); err != nil {
			t.Fatal(err)
		}
	}
	return string(w.End(out))
}

func TestWriters(t *testing.T) {
	a, b := map[string]any{"id": int64(1), "s": "<é>"}, map[string]any{"id": int64(2)}
	tests := []struct {
		name    string
		w       Writer
		records []any
		want    string
	}{
		{"ndjson", NDJSONWriter{}, []any{a, b, "x\ny"}, "{\"id\":1,\"s\":\"<é>\"}\n{\"id\":2}\n\"x\\ny\"\n"},
		{"json", JSONWriter{}, []any{a, b}, "[\n{\"id\":1,\"s\":\"<é>\"},\n{\"id\":2}\n]\n"},
		{"json, empty", JSONWriter{}, nil, "[\n]\n"},
		{"csv", &CSVWriter{Columns: []string{"s", "id"}}, []any{a, b}, "s,id\n<é>,1\n,2\n"},
		{"csv without header", &CSVWriter{Columns: []string{"id", "s"}, Delimiter: ';', NoHeader: true}, []any{a}, "1;<é>\n"},
		{"csv, one column", &CSVWriter{Columns: []string{"id"}}, []any{map[string]any{}, b}, "id\n\"\"\n2\n"},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, document(t, tt.w, tt.records...)); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestCSVCells(t *testing.T) {
	w := &CSVWriter{Columns: []string{"a,b", "v"}}
	for _, tt := range []struct {
		v    any
		want string
	}{
		{"plain", "plain"}, {"a,b", "a,b"}, {`say "hi"`, `say "hi"`}, {"two\nlines", "two\nlines"}, {" x", " x"},
		{true, "true"}, {int64(math.MaxInt64), "9223372036854775807"}, {0.5, "0.5"}, {json.Number("1e999"), "1e999"},
		{[]any{int64(1), "x"}, `[1,"x"]`}, {map[string]any{"k": nil}, `{"k":null}`}, {nil, ""},
		{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), "2026-01-02T03:04:05Z"},
	} {
		doc := document(t, w, map[string]any{"v": tt.v})
		rows, err := csv.NewReader(strings.NewReader(doc)).ReadAll()
		if err != nil {
			t.Fatalf("%v: %q: %v", tt.v, doc, err)
		}
		if diff := cmp.Diff([][]string{{"a,b", "v"}, {"", tt.want}}, rows); diff != "" {
			t.Errorf("%v: %s", tt.v, diff)
		}
	}
}

func TestWriterFaults(t *testing.T) {
	w := &CSVWriter{Columns: []string{"id"}}
	_, err := w.Append(nil, 0, map[string]any{"id": int64(1), "z": 1, "b": 2})
	var unknown *UnknownFieldError
	if !errors.As(err, &unknown) || unknown.Field != "b" {
		t.Errorf("unknown field: %v", err)
	}
	for _, w := range []Writer{w, NDJSONWriter{}, JSONWriter{}} {
		for _, v := range []any{math.NaN(), map[string]any{"id": math.NaN()}, map[string]any{"id": []any{math.Inf(1)}}} {
			if out, err := w.Append([]byte("kept"), 1, v); err == nil || string(out) != "kept" {
				t.Errorf("%T %v: %q, %v", w, v, out, err)
			}
		}
	}
}
