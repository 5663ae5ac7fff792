package format

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecode(t *testing.T) {
	type m = map[string]any
	tests := []struct {
		contentType, raw string
		want             any
	}{
		{"application/json", `{"a":1}`, m{"a": int64(1)}},
		{"application/json; charset=UTF-8", `[1]`, []any{int64(1)}},
		{"application/vnd.api+json", `[1]`, []any{int64(1)}},
		{"", `{"a":1}`, m{"a": int64(1)}},
		{"", `hello`, "hello"},
		{"application/x-ndjson", "{\"a\":1}\r\n\n2", []any{m{"a": int64(1)}, int64(2)}},
		{"application/x-ndjson", "", []any{}},
		{"text/csv", "id,name\n1,\"Ana, \"\"P\"\"\"\n2,\n", []any{m{"id": "1", "name": `Ana, "P"`}, m{"id": "2", "name": ""}}},
		{"text/csv", "\ufeffid,\n1,2\n", []any{m{"id": "1", "column2": "2"}}},
		{"text/csv; charset=windows-1252", "name\nJos\xe9\n", []any{m{"name": "José"}}},
		{"text/csv; header=absent", "1,2\n3,4\n", []any{[]any{"1", "2"}, []any{"3", "4"}}},
		{"text/csv", "", []any{}},
		{"text/tab-separated-values", "a\tb\n1\t2\n", []any{m{"a": "1", "b": "2"}}},
		{"application/x-www-form-urlencoded", "a=1&b=x+y%C3%A9&a=2&a=3&c&&=e", m{"a": []any{"1", "2", "3"}, "b": "x yé", "c": "", "": "e"}},
		{"application/x-www-form-urlencoded; charset=iso-8859-1", "n=Jos%E9", m{"n": "José"}},
		{"text/plain", "héllo", "héllo"},
		{"message/rfc822", "From: a@x.example\r\nMessage-ID: <1@x>\r\n\r\nhi\r\n", m{
			"from": "a@x.example", "to": []any{}, "cc": []any{}, "subject": "", "date": nil, "message_id": "1@x",
			"text": "hi\n", "html": "", "attachments": []any{},
		}},
		{"text/plain; charset=iso-8859-1", "h\xe9llo", "héllo"},
		{"text/html; charset=shift_jis", "\x93\xfa\x96\x7b", "日本"},
		{"text/plain; charset=\"broken", "x", "x"},
		{"application/octet-stream", "\x00\xff", "AP8="},
		{"image/png", "x", "eA=="},
	}
	for _, tt := range tests {
		got, err := Decode(tt.contentType, []byte(tt.raw))
		if err != nil {
			t.Errorf("%s %q: %v", tt.contentType, tt.raw, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s %q: %s", tt.contentType, tt.raw, diff)
		}
	}
}

func TestDecodeFaults(t *testing.T) {
	tests := []struct{ contentType, raw, want string }{
		{"application/json", `{"a":`, "line 1, column 6: expected a value, but the text ends here"},
		{"application/x-ndjson", "{}\n{\"a\" 1}\n", "line 2, column 6: expected ':' after the name, found '1'"},
		{"text/csv", "a,b\n1\n", "line 2, column 1: 1 fields where the first line has 2"},
		{"text/csv", "a,a\n1,2\n", `line 1, column 1: two columns are called "a"`},
		{"text/csv", "a\n\"1\n", `line 3, column 1: extraneous or missing " in quoted-field`},
		{"application/x-www-form-urlencoded", "a=1&b=%zz", `line 1, column 7: invalid URL escape "%zz"`},
		{"application/x-www-form-urlencoded", "a=%ff", "line 1, column 3: not valid UTF-8 once its escapes are decoded"},
		{"text/plain", "a\xff", "line 1, column 2: byte 0xff is not valid UTF-8"},
		{"", "a\xff", "line 1, column 2: byte 0xff is not valid UTF-8"},
	}
	for _, tt := range tests {
		_, err := Decode(tt.contentType, []byte(tt.raw))
		var fault *SyntaxError
		if !errors.As(err, &fault) || err.Error() != tt.want {
			t.Errorf("%s %q: got %v, want %s", tt.contentType, tt.raw, err, tt.want)
		}
	}
	for contentType, want := range map[string]string{
		"application/json; charset=iso-8859-1": `charset "iso-8859-1": JSON must be UTF-8`,
		"text/plain; charset=klingon":          `charset "klingon": unknown`,
		"text/xml; charset=klingon":            `charset "klingon": unknown`,
	} {
		_, err := Decode(contentType, []byte("1"))
		var fault *CharsetError
		if !errors.As(err, &fault) || err.Error() != want {
			t.Errorf("%s: got %v, want %s", contentType, err, want)
		}
	}
}

func TestDecodeXML(t *testing.T) {
	type m = map[string]any
	tests := []struct {
		raw  string
		want any
	}{
		{`<order/>`, m{"order": ""}},
		{`<?xml version="1.0"?><!DOCTYPE order SYSTEM "http://x/y.dtd"><order id="7">
			<line sku="a">2</line><line sku="b"><qty>3</qty></line><note>a &lt; b &#233;</note><!-- no --><empty/></order>`,
			m{"order": m{"@id": "7", "note": "a < b é", "empty": "",
				"line": []any{m{"@sku": "a", "#text": "2"}, m{"@sku": "b", "qty": "3"}}}}},
		{`<s:Envelope xmlns:s="urn:s" xmlns="urn:d"><s:Body s:k="v"><![CDATA[<x>]]></s:Body></s:Envelope>`,
			m{"Envelope": m{"Body": m{"@k": "v", "#text": "<x>"}}}},
		{"<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><a>\xe9</a>", m{"a": "é"}},
		{"\ufeff<a>é</a>", m{"a": "é"}},
	}
	for _, tt := range tests {
		got, err := Decode("application/xml", []byte(tt.raw))
		if err != nil {
			t.Errorf("%q: %v", tt.raw, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q: %s", tt.raw, diff)
		}
	}
	got, err := Decode("text/xml; charset=windows-1252", []byte("<?xml version=\"1.0\" encoding=\"utf-8\"?><a>\x80</a>"))
	if diff := cmp.Diff(any(m{"a": "€"}), got); diff != "" || err != nil {
		t.Errorf("the type's charset does not win: %v %s", err, diff)
	}
}

func TestDecodeXMLFaults(t *testing.T) {
	bomb := `<!DOCTYPE a [<!ENTITY x "xxxx"><!ENTITY y "&x;&x;">]><a>&y;</a>`
	for raw, want := range map[string]string{
		"":                            "no element in it",
		"<a>\n<b></a>":                "line 2, column 8: element <b> closed by </a>",
		"<a>":                         "unexpected EOF",
		"<a/><b/>":                    "a second root element",
		"<a/>x":                       "text outside of the root element",
		bomb:                          "invalid character entity &y;",
		strings.Repeat("<a>", 100000): "line 1, column 604: nested deeper than 200",
		"<a>\xff</a>":                 "invalid UTF-8",
	} {
		_, err := Decode("text/xml", []byte(raw))
		var fault *SyntaxError
		if !errors.As(err, &fault) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: got %v, want %s", raw, err, want)
		}
	}
}

// FuzzDecode: whatever arrives, an answer or a fault with a place, and an answer
// can be written as JSON.
func FuzzDecode(f *testing.F) {
	for _, contentType := range []string{"application/x-ndjson", "text/csv", "text/csv; header=absent", "application/x-www-form-urlencoded", "text/xml", "text/plain; charset=shift_jis", ""} {
		for _, raw := range []string{"a,b\n1,2\n", "{}\n[1]\n", "a=1&b=%20", "<a b='c'>d<e/></a>", "\xff"} {
			f.Add(contentType, []byte(raw))
		}
	}
	f.Fuzz(func(t *testing.T, contentType string, raw []byte) {
		v, err := Decode(contentType, raw)
		if err == nil {
			if _, err := AppendJSON(nil, v); err != nil {
				t.Fatalf("cannot be written: %v", err)
			}
			return
		}
		var syntax *SyntaxError
		var charset *CharsetError
		switch {
		case errors.As(err, &syntax):
			if syntax.Line < 1 || syntax.Column < 1 {
				t.Fatalf("impossible place: %+v", syntax)
			}
		case !errors.As(err, &charset):
			t.Fatalf("an error of another type: %v", err)
		}
	})
}
