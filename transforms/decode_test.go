package transforms

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/records"
)

func csv(change func(*records.CSV)) records.Format {
	c := &records.CSV{}
	c.SetDefaults()
	if change != nil {
		change(c)
	}
	return records.Format{CSV: c}
}

func xlsx() records.Format {
	x := &records.XLSX{}
	x.SetDefaults()
	return records.Format{XLSX: x}
}

func lines() []any {
	return []any{map[string]any{"name": "Muñoz", "sku": "A-1"}, map[string]any{"name": "", "sku": "B-2"}}
}

const asText = "name,sku\nMuñoz,A-1\n,B-2\n"

// mail is an event as a mail makes it, with the same lines as text, as bytes that are no
// UTF-8 and as a workbook.
func mail(t testing.TB) *component.Event {
	t.Helper()
	f := xlsx()
	book, err := f.Encode(lines())
	if err != nil {
		t.Fatal(err)
	}
	attachment := func(content []byte) map[string]any {
		return map[string]any{"name": "a", "content": base64.StdEncoding.EncodeToString(content), "encoding": "base64"}
	}
	return &component.Event{ID: "ev1", Body: map[string]any{"from": "ana@partner.example", "attachments": []any{
		map[string]any{"name": "a.csv", "content": asText},
		attachment(bytes.ReplaceAll([]byte(asText), []byte("ñ"), []byte{0xf1})),
		attachment(book),
	}}}
}

func decoded(t *testing.T, from string, f records.Format, e *component.Event) (any, error) {
	t.Helper()
	out, err := open(t, Decode, &DecodeConfig{From: compile(t, from), Format: f}).Apply(context.Background(), e)
	if err != nil {
		return nil, err
	}
	if len(out) != 1 || out[0].ID != e.ID {
		t.Fatalf("%s: %v", from, out)
	}
	return out[0].Body, nil
}

// An attachment and its content are the same document, whatever form that has.
func TestDecodeAttachments(t *testing.T) {
	latin := csv(func(c *records.CSV) { c.Encoding = "windows-1252" })
	read := lines()
	read[1].(map[string]any)["name"] = nil // as a workbook has an empty cell
	for _, tt := range []struct {
		n    int
		f    records.Format
		want any
	}{
		{0, csv(nil), lines()}, {0, latin, lines()}, {1, latin, lines()}, {2, xlsx(), read},
		{0, records.Format{Text: &records.Text{}}, asText},
		{0, records.Format{Raw: &records.Raw{}}, base64.StdEncoding.EncodeToString([]byte(asText))},
	} {
		for _, path := range []string{"body.attachments[%d]", "body.attachments[%d].content"} {
			from := fmt.Sprintf(path, tt.n)
			got, err := decoded(t, from, tt.f, mail(t))
			if d := cmp.Diff(tt.want, got); err != nil || d != "" {
				t.Errorf("%s as %s: %v %s", from, tt.f.Name(), err, d)
			}
		}
	}
	split, err := open(t, Split, &SplitConfig{Each: compile(t, "body.attachments")}).Apply(context.Background(), mail(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{"body", "body.content", "parent.attachments[1].content"} {
		if got, err := decoded(t, from, latin, split[1]); err != nil || !cmp.Equal(any(lines()), got) {
			t.Errorf("%s after a split: %v, %v", from, got, err)
		}
	}
	if got, err := decoded(t, "body", xlsx(), mail(t).With(mail(t).Body.(map[string]any)["attachments"].([]any)[2].(map[string]any)["content"])); err != nil || !cmp.Equal(any(read), got) {
		t.Errorf("a workbook alone: %v, %v", got, err)
	}
}

// as keeps the body, of which nothing is changed in place.
func TestDecodeAs(t *testing.T) {
	for as, want := range map[string]any{
		"lines":      map[string]any{"doc": "sku\n1\n", "order": map[string]any{"id": int64(7)}, "lines": []any{map[string]any{"sku": "1"}}},
		"order.all":  map[string]any{"doc": "sku\n1\n", "order": map[string]any{"id": int64(7), "all": []any{map[string]any{"sku": "1"}}}},
		"new.in.new": map[string]any{"doc": "sku\n1\n", "order": map[string]any{"id": int64(7)}, "new": map[string]any{"in": map[string]any{"new": []any{map[string]any{"sku": "1"}}}}},
		"":           []any{map[string]any{"sku": "1"}},
	} {
		e := &component.Event{Body: map[string]any{"doc": "sku\n1\n", "order": map[string]any{"id": int64(7)}}}
		before := cmp.Diff(nil, e.Body)
		out, err := open(t, Decode, &DecodeConfig{From: compile(t, "body.doc"), As: as, Format: csv(nil)}).Apply(context.Background(), e)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]any{want}, bodies(out)); d != "" {
			t.Errorf("%q: %s", as, d)
		}
		if cmp.Diff(nil, e.Body) != before {
			t.Errorf("%q changed its event", as)
		}
	}
	out, err := open(t, Decode, &DecodeConfig{Format: csv(nil)}).Apply(context.Background(), &component.Event{Body: "sku\n1\n"})
	if d := cmp.Diff([]any{[]any{map[string]any{"sku": "1"}}}, bodies(out)); err != nil || d != "" {
		t.Errorf("without from: %v %s", err, d)
	}
}

func TestDecodeFaults(t *testing.T) {
	number := csv(func(c *records.CSV) { c.Types = map[string]string{"n": "number"} })
	for _, tt := range []struct {
		f    records.Format
		body any
		want string
	}{
		{number, "id,n\n1,2\n2,zwei\n3,4\n", `read csv: line 3, column 3: column "n": "zwei" is not a number; the record is "2,zwei"`},
		{number, "n\n" + strings.Repeat("x", 300) + "\n", `…"`},
		{csv(nil), nil, "read csv: from is nil: filter out first what has no document"},
		{csv(nil), int64(7), "read csv: from is a number, not a document"},
		{csv(nil), map[string]any{"name": "a.csv"}, "read csv: from is an object that is no attachment: it has no content"},
		{csv(nil), map[string]any{"content": "?", "encoding": "base64"}, "read csv: read base64: illegal base64 data at input byte 0"},
		{xlsx(), "a,b", "read xlsx: a workbook is no text, but base64: read base64: illegal base64 data at input byte 1"},
	} {
		_, err := open(t, Decode, &DecodeConfig{Format: tt.f}).Apply(context.Background(), &component.Event{Body: tt.body})
		if err == nil || err.Error() != tt.want && !(tt.want == `…"` && strings.HasSuffix(err.Error(), tt.want) && len(err.Error()) < 700) {
			t.Errorf("%v: %v, want %s", tt.body, err, tt.want)
		}
	}
	_, err := open(t, Decode, &DecodeConfig{From: compile(t, "body.doc"), As: "doc.lines", Format: csv(nil)}).Apply(context.Background(), &component.Event{Body: map[string]any{"doc": "a\n"}})
	if err == nil || err.Error() != "set lines: what it would be a field of is text, not an object" {
		t.Error(err)
	}
}

func TestEncode(t *testing.T) {
	e := &component.Event{ID: "ev1", Body: map[string]any{"id": int64(7), "lines": lines()}}
	latin := csv(func(c *records.CSV) { c.Encoding = "windows-1252" })
	for _, tt := range []struct {
		f    records.Format
		want string
	}{
		{csv(nil), asText},
		{records.Format{TSV: &records.TSV{Table: *tableOf(csv(nil))}}, strings.ReplaceAll(asText, ",", "\t")},
		{records.Format{JSON: &records.JSON{}}, `[{"name":"Muñoz","sku":"A-1"},{"name":"","sku":"B-2"}]`},
		{records.Format{XML: &records.XML{Each: "l/x"}}, "<?xml"},
		{latin, base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(asText, "ñ", "\xf1")))},
		{xlsx(), "UEsD"}, // the base64 of a zip
	} {
		out, err := open(t, Encode, &EncodeConfig{From: compile(t, "body.lines"), As: "doc", Format: tt.f}).Apply(context.Background(), e)
		if err != nil {
			t.Errorf("%s: %v", tt.f.Name(), err)
			continue
		}
		body := out[0].Body.(map[string]any)
		if doc := body["doc"].(string); doc != tt.want && (len(tt.want) > 5 || !strings.HasPrefix(doc, tt.want)) || body["id"] != int64(7) {
			t.Errorf("%s: %q, want %q", tt.f.Name(), doc, tt.want)
		}
		if len(e.Body.(map[string]any)) != 2 {
			t.Fatalf("%s changed its event", tt.f.Name())
		}
	}
	narrow := csv(func(c *records.CSV) { c.Columns = []string{"sku"} })
	_, err := open(t, Encode, &EncodeConfig{From: compile(t, "body.lines"), Format: narrow}).Apply(context.Background(), e)
	if want := `write csv: record 1: write CSV row: field "name" is not among the columns sku`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	_, err = open(t, Encode, &EncodeConfig{Format: records.Format{Text: &records.Text{Encoding: "utf-8"}}}).Apply(context.Background(), e.With("\xff"))
	if want := "write text: a text in it is not valid UTF-8"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func tableOf(f records.Format) *records.Table { return &f.CSV.Table }

func TestDocumentsValidate(t *testing.T) {
	guarded := csv(func(c *records.CSV) { c.CRLF, c.Skip = true, 1 })
	for _, tt := range []struct {
		cfg  interface{ Validate(*component.Problems) }
		want string
	}{
		{&DecodeConfig{Format: csv(nil), As: "a.b"}, ""},
		{&DecodeConfig{Format: guarded, As: "a..b"}, "as crlf"},
		{&EncodeConfig{Format: guarded, As: "body.a"}, "as skip"},
		{&EncodeConfig{Format: records.Format{XML: &records.XML{Each: "a"}}}, "each"},
		{&EncodeConfig{Format: records.Format{XML: &records.XML{}}, As: "a[0]"}, "as"},
	} {
		var p component.Problems
		tt.cfg.Validate(&p)
		var attrs []string
		for _, x := range p.List {
			attrs = append(attrs, x.Attr)
		}
		if got := strings.Join(attrs, " "); got != tt.want {
			t.Errorf("%v: %v, want %s", tt.cfg, p.List, tt.want)
		}
	}
}

// BenchmarkDecode: a report of 1,000 rows within a mail.
func BenchmarkDecode(b *testing.B) {
	var doc strings.Builder
	doc.WriteString("order_id,customer,total,country,ordered_at\n")
	for i := range 1000 {
		fmt.Fprintf(&doc, "%d,Ana Muñoz,%d.50,PE,2026-11-25\n", i, i)
	}
	e := &component.Event{Body: map[string]any{"attachments": []any{map[string]any{"content": doc.String()}}}}
	s := open(b, Decode, &DecodeConfig{From: compile(b, "body.attachments[0].content"), As: "lines", Format: csv(func(c *records.CSV) { c.Types = map[string]string{"total": "number"} })})
	b.SetBytes(int64(doc.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Apply(context.Background(), e); err != nil {
			b.Fatal(err)
		}
	}
}
