package format

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDecodeJSON(t *testing.T) {
	tests := []struct {
		raw  string
		want any
	}{
		{`null`, nil},
		{` true `, true},
		{`"aé\u00e9\ud83d\ude00\n\/"`, "aéé😀\n/"},
		{`"\ud83d"`, "\ufffd"},
		{`0`, int64(0)},
		{`-9223372036854775808`, int64(math.MinInt64)},
		{`9223372036854775807`, int64(math.MaxInt64)},
		{`9223372036854775808`, json.Number("9223372036854775808")},
		{`1.0`, 1.0},
		{`-1.5e-3`, -0.0015},
		{`1E400`, json.Number("1E400")},
		{`[]`, []any{}},
		{`{}`, map[string]any{}},
		{`{"a": [1, {"b": null}], "a": 2, "c": [ ]}`, map[string]any{"a": int64(2), "c": []any{}}},
	}
	for _, tt := range tests {
		got, err := DecodeJSON([]byte(tt.raw))
		if err != nil {
			t.Errorf("%s: %v", tt.raw, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.raw, diff)
		}
		if err := CheckJSON([]byte(tt.raw)); err != nil {
			t.Errorf("check %s: %v", tt.raw, err)
		}
	}
}

func TestDecodeJSONFaults(t *testing.T) {
	tests := []struct{ raw, want string }{
		{"", "line 1, column 1: expected a value, but the text ends here"},
		{"{\n  \"ä\": tru }", "line 2, column 8: expected a value, found 't'"},
		{`{"a" 1}`, "line 1, column 6: expected ':' after the name, found '1'"},
		{`{a:1}`, "line 1, column 2: expected a name in quotes, found 'a'"},
		{`{"a":1,}`, "line 1, column 8: expected a name in quotes, found '}'"},
		{`[1 2]`, "line 1, column 4: expected ',' or ']', found '2'"},
		{`{"a":1]`, "line 1, column 7: expected ',' or '}', found ']'"},
		{`[1,]`, "line 1, column 4: expected a value, found ']'"},
		{`01`, "line 1, column 2: expected the end, found '1'"},
		{`1.`, "line 1, column 3: expected a digit, but the text ends here"},
		{`-x`, "line 1, column 2: expected a digit, found 'x'"},
		{`1e+`, "line 1, column 4: expected a digit, but the text ends here"},
		{`"abc`, "line 1, column 1: this string never ends"},
		{`"a\x"`, "line 1, column 3: not an escape that JSON knows"},
		{`"\u12g4"`, "line 1, column 2: not an escape that JSON knows"},
		{"\"a\tb\"", `line 1, column 3: control character 0x09 in a string; write it as \u0009`},
		{"[\"ab\xff\"]", "line 1, column 5: byte 0xff is not valid UTF-8"},
		{"\ufeff{}", "line 1, column 1: a byte order mark, which JSON does not allow"},
		{strings.Repeat("[", 100_000), "line 1, column 201: nested deeper than 200"},
		{strings.Repeat(`{"a":`, 201) + "1" + strings.Repeat("}", 201), "line 1, column 1001: nested deeper than 200"},
	}
	for _, tt := range tests {
		_, err := DecodeJSON([]byte(tt.raw))
		var fault *SyntaxError
		if !errors.As(err, &fault) || err.Error() != tt.want {
			t.Errorf("%.40q: got %v, want %s", tt.raw, err, tt.want)
		}
		if err := CheckJSON([]byte(tt.raw)); err == nil || err.Error() != tt.want {
			t.Errorf("check %.40q: got %v, want %s", tt.raw, err, tt.want)
		}
	}
	deepest := strings.Repeat("[", 200) + strings.Repeat("]", 200)
	if err := CheckJSON([]byte(deepest)); err != nil {
		t.Errorf("200 deep: %v", err)
	}
}

func TestAppendJSON(t *testing.T) {
	value := map[string]any{
		"z": nil, "a": true, "int": int64(math.MaxInt64), "n": 5, "big": json.Number("92233720368547758080"),
		"f": 0.1, "whole": 3.0, "tiny": 1e-7, "huge": 1e21,
		"s":    "<a href='x'>&\"\\\n\r\t\x01\u2028é\xff",
		"time": time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC),
		"list": []any{int64(1), "two", []any{}}, "strings": []string{"x"}, "header": map[string]string{"b": "2", "a": "1"},
		"empty": map[string]any{}, "none": []any(nil), "other": []int{1, 2},
	}
	got, err := AppendJSON([]byte("> "), value)
	if err != nil {
		t.Fatal(err)
	}
	want := `> {"a":true,"big":92233720368547758080,"empty":{},"f":0.1,"header":{"a":"1","b":"2"},"huge":1e+21,` +
		`"int":9223372036854775807,"list":[1,"two",[]],"n":5,"none":null,"other":[1,2],` +
		`"s":"<a href='x'>&\"\\\n\r\t\u0001\u2028é` + "\ufffd" + `","strings":["x"],"time":"2026-01-02T03:04:05.000006Z","tiny":1e-07,"whole":3,"z":null}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestAppendJSONFaults(t *testing.T) {
	var deep any = "x"
	for range 201 {
		deep = []any{deep}
	}
	for _, v := range []any{math.NaN(), math.Inf(1), json.Number("01"), json.Number(""), json.Number("1 "), json.Number(" 1"), deep, func() {}, map[string]any{"a": math.NaN()}} {
		got, err := AppendJSON([]byte("kept"), v)
		if err == nil || string(got) != "kept" {
			t.Errorf("%T: got %q, %v", v, got, err)
		}
	}
}

// FuzzJSON holds the reader to encoding/json: both take or refuse the same texts
// (valid UTF-8, not too deep), and what was read is written and read unchanged.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5,"x\u00e9\n",null,true]}`, `-0`, `1e999`, `"\ud800\udc00"`, `[[[]]]`, ` 12 `, `{"a":1,"a":2}`, sample} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := DecodeJSON(raw)
		if check := CheckJSON(raw); (check == nil) != (err == nil) {
			t.Fatalf("check says %v, decode %v", check, err)
		}
		var fault *SyntaxError
		if errors.As(err, &fault) && (strings.HasPrefix(fault.Msg, "nested") || strings.Contains(fault.Msg, "UTF-8")) {
			return
		}
		if (err == nil) != json.Valid(raw) {
			t.Fatalf("decode says %v, encoding/json the opposite", err)
		}
		if err != nil {
			if fault.Offset > len(raw) || fault.Line < 1 || fault.Column < 1 {
				t.Fatalf("impossible place: %+v", fault)
			}
			return
		}
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		var want any
		if err := dec.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if want = numbers(want); !reflect.DeepEqual(want, got) {
			t.Fatalf("encoding/json read %v, we %v", want, got)
		}
		out, err := AppendJSON(nil, got)
		if err != nil {
			t.Fatal(err)
		}
		again, err := DecodeJSON(out)
		if err != nil {
			t.Fatalf("reading %s again: %v", out, err)
		}
		twice, err := AppendJSON(nil, again)
		if err != nil || !bytes.Equal(out, twice) {
			t.Fatalf("%s became %s (%v)", out, twice, err)
		}
	})
}

func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		return number(string(v), !strings.ContainsAny(string(v), ".eE"))
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = numbers(v[k])
		}
	}
	return v
}

// sample is an order of 1 KiB as shops send them.
const sample = `{"id":1042,"event":"order.paid","created_at":"2026-03-14T09:26:53Z","total":128.4,"currency":"CLP",
"customer":{"id":77,"name":"Ana María Pérez","email":"ana@example.com","phone":"+56 2 2345 6789","tags":["vip","newsletter"]},
"shipping":{"name":"Ana María Pérez","street":"Av. Providencia 1234","city":"Santiago","country":"CL","zip":"7500000"},
"billing":{"name":"Comercial Pérez Ltda.","street":"Huérfanos 1160, of. 1204","city":"Santiago","country":"CL","zip":"8320000"},
"lines":[{"sku":"A-100","title":"Coffee beans \"Huila\", 1 kg","quantity":2,"price":24.9,"tax":4.73},
{"sku":"B-200","title":"Paper filters, size 4","quantity":3,"price":4.2,"tax":0.8},
{"sku":"C-300","title":"Kettle, gooseneck","quantity":1,"price":66,"tax":12.54}],
"note":"Leave at the front desk.\nThank you!","paid":true,"gift":false,"coupon":null,"attempts":1,
"browser":{"agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","ip":"203.0.113.77","language":"es-CL"}}`

func BenchmarkDecodeJSON(b *testing.B) {
	raw := []byte(sample)
	run := func(name string, f func() error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("ours", func() error { _, err := DecodeJSON(raw); return err })
	run("check", func() error { return CheckJSON(raw) })
	run("encoding_json", func() error {
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		var v any
		return dec.Decode(&v)
	})
}

func BenchmarkAppendJSON(b *testing.B) {
	v, err := DecodeJSON([]byte(sample))
	if err != nil {
		b.Fatal(err)
	}
	var buf []byte
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if buf, err = AppendJSON(buf[:0], v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding_json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(v); err != nil {
				b.Fatal(err)
			}
		}
	})
}
