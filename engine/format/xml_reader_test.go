package format

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func xmlOpener(each string) opener {
	return func(r io.Reader) (Reader, error) { return NewXMLReader(r, each) }
}

func TestXMLReader(t *testing.T) {
	doc := `<?xml version="1.0" encoding="ISO-8859-1"?>
<!DOCTYPE orders SYSTEM "http://example.com/orders.dtd">
<o:orders xmlns:o="urn:x" made="now">
 <head><order>none</order></head>
 <o:order id="1"><name>M` + "\xfc" + `ller</name><sku>a</sku><sku>b</sku></o:order>
 <order>text &lt; &amp;</order>
</o:orders>
`
	checkCorpus(t, []corpus{
		{"by name", xmlOpener("order"), doc, []string{"4 none", "5 map[@id:1 name:Müller sku:[a b]]", "6 text < &"}},
		{"by path", xmlOpener("orders/order"), doc, []string{"5 map[@id:1 name:Müller sku:[a b]]", "6 text < &"}},
		{"whole", xmlOpener(""), "\ufeff<a x='1'>\n<b/></a>", []string{"1 map[a:map[@x:1 b:]]"}},
		{"UTF-16", xmlOpener("b"), "\xff\xfe<\x00a\x00>\x00<\x00b\x00/\x00>\x00<\x00/\x00a\x00>\x00", []string{"1 "}},
		{"none", xmlOpener("c"), "<a><b/></a>", nil},
		{"within itself", xmlOpener("a"), "<r><a><a>1</a></a></r>", []string{"1 map[a:1]"}},
		{"empty", xmlOpener("a"), "", []string{"!! line 1, column 1: no element in it"}},
		{"cut off", xmlOpener("a"), "<r>\n<a>1</a>\n<a>", []string{"2 1", "!! line 3, column 4: unexpected EOF"}},
		{"mismatch", xmlOpener("a"), "<r>\n<a>1</a><b></c></r>", []string{"2 1", "!! line 2, column 16: element <b> closed by </c>"}},
		{"an entity of its own", xmlOpener("a"), `<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r><a>1</a><a>&x;</a></r>`, []string{"1 1", "!! line 1, column 72: invalid character entity &x;"}},
		{"two roots", xmlOpener("a"), "<a/><a/>", []string{"1 ", "!! line 1, column 9: a second root element"}},
		{"text outside", xmlOpener("a"), "<a/>x", []string{"1 ", "!! line 1, column 6: text outside of the root element"}},
		{"a charset nobody knows", xmlOpener("a"), `<?xml version="1.0" encoding="klingon"?><a/>`, []string{`!! charset "klingon": unknown`}},
		{"deep", xmlOpener("none"), strings.Repeat("<a>", 300), []string{"!! line 1, column 604: nested deeper than 200"}},
	})
}

func TestXMLBounds(t *testing.T) {
	r, err := NewXMLReader(io.MultiReader(strings.NewReader("<r><a>"), io.LimitReader(repeated("x"), 3*MaxRecord)), "a")
	if err != nil {
		t.Fatal(err)
	}
	var e *SyntaxError
	if _, err = r.Next(); !errors.As(err, &e) || !strings.Contains(e.Msg, "longer than 16 MiB") {
		t.Error(err)
	}
	gone := errors.New("connection lost")
	r, err = NewXMLReader(io.MultiReader(strings.NewReader("<r><a>"), failing{gone}), "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); !errors.Is(err, gone) {
		t.Error(err)
	}
}

func FuzzXMLReader(f *testing.F) {
	for _, doc := range []string{"<r><a x='1'>t</a><a/></r>", "\ufeff<a/>", "<!DOCTYPE r []><r>&lt;</r>", `<?xml version="1.0" encoding="utf-16"?><a/>`} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		if len(doc) <= maxFuzzed {
			checkReader(t, xmlOpener("a"), doc)
			checkReader(t, xmlOpener(""), doc)
		}
	})
}
