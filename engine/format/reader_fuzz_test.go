package format

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const maxFuzzed = 2 << 10 // checkReader takes the square of it

func FuzzCSVReader(f *testing.F) {
	for _, doc := range []string{
		"a,b\n1,\"x\"\"y\"\n\"2\n3\",z\n", "a;b\r\n1;2;3\r\n\"x\n", "\xff\xfea\x00\n\x00b\x00", "\ufeffa\n\"\"\n", "a,b\n1,5\"\n#x\n,\n",
	} {
		for flags := range 64 {
			f.Add([]byte(doc), byte(flags))
		}
	}
	f.Fuzz(func(t *testing.T, doc []byte, flags byte) {
		if len(doc) > maxFuzzed {
			return
		}
		o := Table{Lazy: flags&1 > 0, Ragged: flags&2 > 0, NoHeader: flags&4 > 0}
		if flags&8 > 0 {
			o.Comment, o.Delimiter, o.Skip = '#', ';', 1
		}
		if flags&16 > 0 {
			o.Encoding = []string{"windows-1252", "utf-16le", "utf-16be", "shift_jis", "gb18030"}[len(doc)%5]
		}
		if flags&32 > 0 && o.NoHeader {
			o.Columns = []string{"a", "b"}
			o.Types = Types{Columns: map[string]string{"a": "number", "b": "time:2006-01-02"}}
		}
		checkReader(t, csvOpener(o), doc)
		if o.Encoding == "" && o.NoHeader && o.Columns == nil && o.Skip == 0 && !o.Ragged && !o.Lazy {
			checkLikeStandard(t, doc)
		}
	})
}

// checkLikeStandard: what encoding/csv reads without a complaint, we read alike,
// but for the "\r\n" in a quoted cell, of which it makes "\n".
func checkLikeStandard(t *testing.T, doc []byte) {
	t.Helper()
	if bytes.Contains(doc, []byte("\r")) || bytes.HasPrefix(doc, []byte("\ufeff")) || bytes.HasPrefix(doc, []byte("\xff\xfe")) ||
		bytes.HasPrefix(doc, []byte("\xfe\xff")) || checkUTF8(doc) != nil {
		return
	}
	want, err := csv.NewReader(bytes.NewReader(doc)).ReadAll()
	if err != nil {
		return
	}
	r, err := NewCSVReader(bytes.NewReader(doc), Table{NoHeader: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range want {
		rec, err := r.Next()
		if err != nil {
			t.Fatalf("%q: %v", doc, err)
		}
		if diff := cmp.Diff(cells(row), rec.Values); diff != "" {
			t.Fatalf("%q: %s", doc, diff)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Fatalf("%q: %v", doc, err)
	}
}

func FuzzNDJSONReader(f *testing.F) {
	for _, doc := range []string{"{\"a\":1}\n2\r\n", "\ufeff[\n]\n", "1", "\xff\xfe1\x00\n\x00"} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		if len(doc) <= maxFuzzed {
			checkReader(t, ndjsonOpener, doc)
		}
	})
}

func FuzzJSONReader(f *testing.F) {
	for _, doc := range []string{`[1,{"a":"]\""},[2]]`, `{"a":{"b":[1,2],"c":3}}`, `{"a":null}`, "[1,\n{\"x\":tru}\n]", `{"c":[[],{}],"a":{"b":[]}}`} {
		f.Add([]byte(doc), true)
		f.Add([]byte(doc), false)
	}
	f.Fuzz(func(t *testing.T, doc []byte, deep bool) {
		if len(doc) > maxFuzzed {
			return
		}
		open, path := arrayOpener(), []string(nil)
		if deep {
			path = []string{"a", "b"}
			open = arrayOpener(path...)
		}
		checkReader(t, open, doc)
		checkElements(t, doc, path)
	})
}

// checkElements: of a document that is JSON, the elements are those that decoding
// it as a whole finds, and the rest is the rest.
func checkElements(t *testing.T, doc []byte, path []string) {
	t.Helper()
	if !json.Valid(doc) || CheckJSON(doc) != nil {
		return
	}
	r, err := NewJSONReader(bytes.NewReader(doc), Array{Path: path, KeepRest: true})
	if err != nil {
		t.Fatal(err)
	}
	got := []any{}
	for {
		rec, err := r.Next()
		if err == io.EOF {
			break
		}
		if _, nothing := err.(*SyntaxError); nothing && len(path) > 0 {
			return
		}
		if err != nil {
			t.Fatalf("%q: %v", doc, err)
		}
		got = append(got, rec.Body)
	}
	rest, err := r.Rest()
	if err != nil {
		t.Fatalf("%q: %v", doc, err)
	}
	whole, err := DecodeJSON(doc)
	if err != nil || len(path) > 0 {
		_, isObject := rest.(map[string]any)
		if isObject != (whole != nil) {
			t.Fatalf("%q: the rest is %v", doc, rest)
		}
		return
	}
	want, ok := whole.([]any)
	if !ok {
		want = []any{whole}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%q: %s", doc, diff)
	}
}
