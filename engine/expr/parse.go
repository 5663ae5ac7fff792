package expr

import (
	"encoding/csv"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

var parseFunctions = map[string]*function{
	"toJSON": {args: []kind{kAny}, min: 1, result: kText, run: func(m *machine, n *callNode, a []any) any {
		return m.toJSON(a[0], n.at)
	}},
	"fromJSON": {args: []kind{kText}, min: 1, result: kData, run: fromJSON},
	"parseCSV": {args: []kind{kText, kText}, min: 1, result: kList, run: parseCSV},
	"parseXML": {args: []kind{kText}, min: 1, result: kObject, run: parseXML},
}

// parseCSV reads comma-separated text (RFC 4180) with a header line into a list
// of objects of texts; the second argument is another delimiter. A cell that is
// missing at the end of a line is nil; one too many fails.
func parseCSV(m *machine, n *callNode, a []any) any {
	s, delimiter := strings.TrimPrefix(a[0].(string), "\ufeff"), []rune(text(a, 1, ","))
	if len(delimiter) != 1 {
		m.fail(n.ats[1], "", "a delimiter is one character")
	}
	r := csv.NewReader(strings.NewReader(s))
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = delimiter[0], -1, true
	m.take(8192+2*len(s), n.at)
	m.step(len(s)/8, n.at)
	header, ok := n.row(m, r)
	if !ok {
		return []any{}
	}
	names := append([]string(nil), header...)
	list := m.newList(0, n.at)
	for {
		cells, ok := n.row(m, r)
		if !ok {
			return list
		}
		list = m.push(list, n.record(m, names, cells, len(list)+2), n.at)
	}
}

func (n *callNode) row(m *machine, r *csv.Reader) ([]string, bool) {
	cells, err := r.Read()
	if err == io.EOF {
		return nil, false
	}
	if err != nil {
		n.fail(m, "%v", err)
	}
	m.take(len(cells)*slotWeight, n.at)
	return cells, true
}

func (n *callNode) record(m *machine, names, cells []string, line int) any {
	if len(cells) > len(names) {
		n.fail(m, "record %d has %d cells, the header only %d", line, len(cells), len(names))
	}
	m.step(len(names), n.at)
	m.take(len(names)*slotWeight, n.at)
	o := m.newObject(len(names), n.at)
	for i, name := range names {
		if i < len(cells) {
			o[name] = cells[i]
		} else {
			o[name] = nil
		}
	}
	return o
}

// parseXML reads a document into an object that holds the root element by its
// name. An element is its text; with attributes or children it is an object:
// children by name, attributes as "@name", text beside them as "#text". A name
// that comes more than once has a list. Names are without namespace. Nothing is
// expanded or fetched.
func parseXML(m *machine, n *callNode, a []any) any {
	s := strings.TrimPrefix(a[0].(string), "\ufeff")
	m.step(len(s)/4, n.at)
	m.take(16384+2*len(s), n.at)
	r := &xmlReader{m: m, n: n, dec: xml.NewDecoder(strings.NewReader(s))}
	// The text is characters already, whatever its declaration says.
	r.dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	var root map[string]any
	for {
		switch t := r.token(root != nil).(type) {
		case nil:
			return root
		case xml.StartElement:
			if root != nil {
				n.fail(m, "a second root element")
			}
			root = m.newObject(1, n.at)
			root[t.Name.Local] = r.element(t, 1)
		case xml.CharData:
			if strings.TrimSpace(string(t)) != "" {
				n.fail(m, "text outside of the root element")
			}
		}
	}
}

type xmlReader struct {
	m   *machine
	n   *callNode
	dec *xml.Decoder
}

// token is nil at the end, where the text may end.
func (r *xmlReader) token(mayEnd bool) xml.Token {
	t, err := r.dec.Token()
	switch {
	case err == io.EOF && mayEnd:
		return nil
	case err == io.EOF:
		err = errors.New("it ends too early")
	}
	if err != nil {
		r.n.fail(r.m, "%s is not XML: %v", r.m.quote(r.n.ats[0]), err)
	}
	r.m.step(8, r.n.at)
	return t
}

func (r *xmlReader) element(start xml.StartElement, depth int) any {
	if depth > maxNesting {
		r.n.fail(r.m, "the XML nests deeper than %d levels", maxNesting)
	}
	var fields map[string]any
	for _, a := range start.Attr {
		if a.Name.Space != "xmlns" && (a.Name.Space != "" || a.Name.Local != "xmlns") {
			fields = r.add(fields, "@"+a.Name.Local, a.Value)
		}
	}
	var text strings.Builder
	for {
		switch t := r.token(false).(type) {
		case xml.CharData:
			r.m.take(2*len(t), r.n.at)
			text.Write(t)
		case xml.StartElement:
			fields = r.add(fields, t.Name.Local, r.element(t, depth+1))
		case xml.EndElement:
			if fields == nil {
				return text.String()
			}
			if strings.TrimSpace(text.String()) != "" {
				fields["#text"] = text.String()
			}
			return fields
		}
	}
}

// add makes a list of what comes more than once.
func (r *xmlReader) add(fields map[string]any, name string, v any) map[string]any {
	if fields == nil {
		fields = r.m.newObject(0, r.n.at)
	}
	r.m.take(pairWeight+len(name), r.n.at)
	switch had := fields[name].(type) {
	case nil:
		fields[name] = v
	case []any:
		fields[name] = r.m.push(had, v, r.n.at)
	default:
		fields[name] = []any{had, v}
	}
	return fields
}
