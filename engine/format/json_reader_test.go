package format

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNDJSONReader(t *testing.T) {
	checkCorpus(t, []corpus{
		{"plain", ndjsonOpener, "{\"a\":1}\r\n\n [2] \n\"x\"", []string{"1 map[a:1]", "3 [2]", "4 x"}},
		{"mark", ndjsonOpener, "\ufeff1\n", []string{"1 1"}},
		{"broken", ndjsonOpener, "1\n  {\"a\" 1}\n2\n", []string{"1 1", "! line 2, column 8: expected ':' after the name, found '1' [  {\"a\" 1}]", "3 2"}},
		{"a document", ndjsonOpener, "[\n1]", []string{
			`! line 1, column 2: expected a value, but the text ends here: a document over several lines has the format "json" [[]`,
			`! line 2, column 2: expected the end, found ']' [1]]`}},
		{"empty", ndjsonOpener, "\n\n", nil},
	})
}

func TestJSONReader(t *testing.T) {
	orders := arrayOpener("data", "orders")
	checkCorpus(t, []corpus{
		{"root", arrayOpener(), "[1,\n {\"a\":[\"]\\\"\"]}\n, \"x\"]\n", []string{"1 1", "2 map[a:[]\"]]", "3 x"}},
		{"empty array", arrayOpener(), "[ ]", nil},
		{"one record", arrayOpener(), "\n{\"a\":1}\n", []string{"2 map[a:1]"}},
		{"one number", arrayOpener(), "12", []string{"1 12"}},
		{"path", orders, `{"a":[1],"data":{"n":"}","orders":[1,2],"z":{}},"b":2}`, []string{"1 1", "1 2"}},
		{"null", orders, `{"data":{"orders":null}}`, nil},
		{"null above", orders, `{"data":null}`, nil},
		{"empty document", arrayOpener(), " ", []string{"!! line 1, column 2: the document ends in the middle"}},
		{"no such name", orders, `{"data":{"n":1,"orderz":[]}}`, []string{`!! line 1, column 28: nothing is called "orders"; there are n, orderz`}},
		{"nothing", orders, `{"data":{}}`, []string{`!! line 1, column 11: nothing is called "orders": the object is empty`}},
		{"no object", orders, `[1]`, []string{`!! line 1, column 1: no object, and so nothing called "data" in it`}},
		{"no list", orders, `{"data":{"orders":5}}`, []string{`!! line 1, column 19: "orders" is no list`}},
		{"a broken element", arrayOpener(), "[1,\n {\"a\":tru},\n {\"a\":\n 01}\n,2]", []string{"1 1",
			`! line 2, column 7: expected a value, found 't' [{"a":tru}]`, `! line 3: expected ',' or '}', found '1' (line 4, column 3) [{"a":` + "\n 01}]", "5 2"}},
		{"cut off", arrayOpener(), "[1,\n{\"a\"", []string{"1 1", "!! line 2, column 5: the document ends in the middle"}},
		{"cut off behind an element", orders, `{"data":{"orders":[1`, []string{"1 1", "!! line 1, column 21: the document ends in the middle"}},
		{"no comma", arrayOpener(), "[1 2]", []string{"1 1", "!! line 1, column 4: expected ',' or ']' behind an element, found '2'"}},
		{"comma at the end", arrayOpener(), "[1,]", []string{"1 1", "!! line 1, column 4: expected an element behind ',', found ']'"}},
		{"more behind it", arrayOpener(), "[1]\n[2]", []string{"1 1", "!! line 2, column 1: expected the end of the document, found '['"}},
		{"broken around it", orders, `{"data":{"orders":[1], 5}}`, []string{"1 1", "!! line 1, column 24: expected a name in quotes, found '5'"}},
		{"mark of UTF-16", arrayOpener(), "\xff\xfe[\x001\x00]\x00", []string{"1 1"}},
	})
}

func TestJSONReaderRest(t *testing.T) {
	doc := `{"next":"x","data":{"orders":[{"id":1},{"id":2}],"n":2},"ok":true}`
	r, err := NewJSONReader(strings.NewReader(doc), Array{Path: []string{"data", "orders"}, RawOnly: true, KeepRest: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Rest(); err == nil {
		t.Error("a rest before the end")
	}
	var raw []string
	for {
		rec, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if rec.Body != nil {
			t.Errorf("decoded: %v", rec.Body)
		}
		raw = append(raw, string(rec.Raw))
	}
	if diff := cmp.Diff([]string{`{"id":1}`, `{"id":2}`}, raw); diff != "" {
		t.Error(diff)
	}
	rest, err := r.Rest()
	want := map[string]any{"next": "x", "data": map[string]any{"orders": nil, "n": int64(2)}, "ok": true}
	if diff := cmp.Diff(any(want), rest); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

// An array of any length takes the memory of one element.
func TestJSONReaderHoldsOneElement(t *testing.T) {
	const elements = 20_000
	list := "[" + strings.Repeat(`{"id":12345,"text":"`+strings.Repeat("x", 200)+`"},`, elements-1) + "0]"
	doc := strings.NewReader(`{"other":` + list + `,"data":` + list + `}`)
	r, err := NewJSONReader(doc, Array{Path: []string{"data"}, RawOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	n := -1
	for ; err == nil; n++ {
		_, err = r.Next()
	}
	if err != io.EOF || n != elements {
		t.Errorf("%d elements, then %v", n, err)
	}
	if cap(r.in.buf) > inputSize {
		t.Errorf("a buffer of %d bytes", cap(r.in.buf))
	}
}
