package format

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const formType = "multipart/form-data; boundary=XX"

// formOf makes a body of parts, each its header, an empty line and its content.
func formOf(parts ...string) []byte {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("--XX\r\n" + strings.ReplaceAll(p, "\n", "\r\n") + "\r\n")
	}
	b.WriteString("--XX--\r\n")
	return []byte(b.String())
}

func TestMultipart(t *testing.T) {
	raw := formOf(
		"Content-Disposition: form-data; name=\"order\"\n\n7",
		"Content-Disposition: form-data; name=\"tag\"\n\na",
		"Content-Disposition: form-data; name=\"tag\"\nContent-Type: text/plain; charset=iso-8859-1\n\n\xe9",
		"Content-Disposition: form-data; name=\"data\"\nContent-Type: application/json\n\n{\"n\": 12345678901234567}",
		"Content-Disposition: form-data; name=\"lines\"; filename=\"C:\\\\tmp\\\\lines.csv\"\nContent-Type: application/octet-stream\n\na;b\n1;2",
		"Content-Disposition: form-data; name=\"photo\"; filename=\"caf\xc3\xa9.png\"\nContent-Type: image/png\n\n\x89PNG\x00",
		"Content-Disposition: form-data; name=\"none\"; filename=\"\"\nContent-Type: application/octet-stream\n\n",
		"Content-Disposition: form-data; name=\"blob\"\nContent-Type: application/pdf\n\n%PDF",
	)
	fields, files, err := DecodeMultipart(formType, raw)
	if err != nil {
		t.Fatal(err)
	}
	type m = map[string]any
	wantFields := m{"order": "7", "tag": []any{"a", "é"}, "data": m{"n": int64(12345678901234567)}}
	wantFiles := []any{
		m{"field": "lines", "name": "lines.csv", "content_type": "application/octet-stream", "size": int64(8), "content": "a;b\r\n1;2"},
		m{"field": "photo", "name": "café.png", "content_type": "image/png", "size": int64(5), "content": "iVBORwA=", "encoding": "base64"},
		m{"field": "blob", "name": "part-8.pdf", "content_type": "application/pdf", "size": int64(4), "content": "JVBERg==", "encoding": "base64"},
	}
	if diff := cmp.Diff([]any{wantFields, wantFiles}, []any{fields, files}); diff != "" {
		t.Error(diff)
	}
	body, err := Decode(formType, raw)
	if diff := cmp.Diff([]any{any(wantFields), error(nil)}, []any{body, err}); diff != "" {
		t.Errorf("Decode: %s", diff)
	}
}

func TestMultipartFaults(t *testing.T) {
	whole := string(formOf("Content-Disposition: form-data; name=\"a\"\n\n1", "Content-Disposition: form-data; name=\"f\"; filename=\"f\"\n\n2"))
	field := "Content-Disposition: form-data; name=\"a\"\n"
	many := make([]string, maxParts+1)
	for i := range many {
		many[i] = field + "\n1"
	}
	tests := []struct{ contentType, raw, want string }{
		{"multipart/form-data", whole, "without a boundary"},
		{formType, "", "part 1 of the multipart body: the body ends before its last boundary"},
		{formType, whole[:len(whole)-20], "part 2 of the multipart body: the body ends before its last boundary"},
		{formType, string(formOf("Content-Disposition: form-data\n\n1")), "part 1 of the multipart body: a field without a name"},
		{formType, string(formOf(field + "\n\xff")), `part 1 of the multipart body: field "a": line 1, column 1: byte 0xff is not valid UTF-8`},
		{formType, string(formOf(field + "Content-Type: application/json\n\n{")), `field "a": line 1, column 2`},
		{formType, string(formOf(many...)), "more than 1000 parts"},
	}
	for _, tt := range tests {
		for _, decode := range []func() error{
			func() error { _, err := Decode(tt.contentType, []byte(tt.raw)); return err },
			func() error { _, _, err := DecodeMultipart(tt.contentType, []byte(tt.raw)); return err },
		} {
			if err := decode(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%.60q: got %v, want %s", tt.raw, err, tt.want)
			}
		}
	}
}

// FuzzMultipart finds no body that is accepted and cannot be read later.
func FuzzMultipart(f *testing.F) {
	f.Add(formOf("Content-Disposition: form-data; name=\"a\"\n\n1"))
	f.Add(formOf("Content-Disposition: form-data; name=\"f\"; filename=\"f.csv\"\nContent-Type: text/csv\n\n1"))
	f.Add([]byte("--XX--"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		body, err := Decode(formType, raw)
		fields, files, again := DecodeMultipart(formType, raw)
		if (err == nil) != (again == nil) {
			t.Fatalf("Decode says %v, DecodeMultipart %v", err, again)
		}
		if err != nil {
			return
		}
		if diff := cmp.Diff(body, any(fields)); diff != "" {
			t.Fatal(diff)
		}
		if _, err := AppendJSON(nil, []any{fields, files}); err != nil {
			t.Fatal(err)
		}
	})
}
