package poll

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	nethttp "net/http"
	"strings"

	conn "github.com/syncd/syncd/engine/connect/http"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/format"
)

// shape says how records are found in an answer.
type shape struct {
	records expr.Expr
	path    []string // of the list in the body, if the way to it is a plain one
	plain   bool
	streams bool // nothing that is evaluated for a page looks at the list
}

func newShape(cfg *Config, judged bool) shape {
	s := shape{records: cfg.Records, plain: !cfg.Records.IsSet()}
	if path, ok := cfg.Records.Path(); ok && len(path) >= 2 && path[0] == "response" && path[1] == "body" {
		s.path, s.plain = path[2:], true
	}
	s.streams = s.plain && !judged // what is taken in cannot be taken back
	list := append([]string{"response", "body"}, s.path...)
	for _, e := range cfg.ofPage() {
		s.streams = s.streams && !e.MaySee(list...)
	}
	if c := cfg.Cursor; c != nil && c.From == "record" && c.Next.Uses("response") {
		s.streams = false // what stands behind the list is known too late
	}
	return s
}

// ofPage are the expressions that are evaluated for a page, or see all of it.
func (c *Config) ofPage() []expr.Expr {
	list := []expr.Expr{c.Paginate.limits().Stop}
	if c.Paginate != nil && c.Paginate.Token != nil {
		list = append(list, c.Paginate.Token.Next)
	}
	if c.Paginate != nil && c.Paginate.NextURL != nil {
		list = append(list, c.Paginate.NextURL.Next)
	}
	if c.Cursor != nil {
		list = append(list, c.Cursor.Next)
	}
	return list
}

// answer is a page that is being read.
type answer struct {
	stream *conn.Stream
	reader format.Reader
	typ    string // of a record's text
	body   any    // of the response; a document without the list, if that is a stream
	rest   func() (any, error)
	count  int64 // records read
	seen   map[string]any
}

// response is what expressions see of the page, once it has been read.
func (a *answer) response() map[string]any {
	if a.seen == nil {
		a.seen = response(a.stream.Status, a.stream.Header, a.body)
	}
	return a.seen
}

func response(status int, h nethttp.Header, body any) map[string]any {
	headers := make(map[string]any, len(h))
	for name, values := range h {
		headers[strings.ToLower(name)] = values[0]
	}
	return map[string]any{"status": int64(status), "headers": headers, "body": body}
}

// end is called when all records have been read.
func (a *answer) end() (err error) {
	if a.rest != nil {
		a.body, err = a.rest()
	}
	return err
}

// sniffed is how much of an answer is looked at to tell what it is.
const sniffed = 4 << 10

// errEmpty is an answer without a body, of which no status says that this is meant.
var errEmpty = errors.New("the answer is empty")

// read begins to read an answer that is a page. One that is decoded whole goes to
// judge before its records are looked for.
func (s *shape) read(stream *conn.Stream, judge func(*answer) error) (*answer, error) {
	a := &answer{stream: stream, typ: "application/json"}
	in := bufio.NewReaderSize(stream.Body, sniffed)
	first, err := opening(in)
	switch {
	case err == io.EOF && (stream.Status == nethttp.StatusNoContent || stream.Status == nethttp.StatusResetContent):
		a.reader = none{}
		return a, nil
	case err == io.EOF:
		return nil, errEmpty
	case err != nil:
		return nil, err
	}
	typ := stream.Header.Get("Content-Type")
	family := familyOf(typ, first)
	if first == '<' && family != format.XML {
		return nil, fmt.Errorf("the answer is HTML, not data: %q", title(in))
	}
	switch {
	case !s.streams || family == format.XML:
		return a, s.whole(a, in, typ, family, judge)
	case family != format.CSV && !isUTF8(typ):
		return nil, fmt.Errorf("the answer is %s: JSON must be UTF-8", typ)
	case family == format.JSON:
		return a, s.document(a, in, first)
	case family != format.NDJSON && family != format.CSV:
		return nil, fmt.Errorf("the answer is %s, which holds no records: JSON, NDJSON, CSV and XML do", orUnknown(typ))
	case len(s.path) > 0:
		return nil, fmt.Errorf("records: an answer of %s is the list itself, and has no %s", typ, strings.Join(s.path, "."))
	case family == format.NDJSON:
		a.reader, err = format.NewNDJSONReader(in, true)
	default:
		a.typ = typ
		a.reader, err = format.NewCSVReader(in, table(typ))
	}
	return a, err
}

// opening is the first byte that is no white space.
func opening(in *bufio.Reader) (byte, error) {
	for {
		c, err := in.ReadByte()
		if err != nil {
			return 0, err
		}
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c, in.UnreadByte()
		}
	}
}

// familyOf is what an answer is; one that says nothing of use is JSON if it begins so.
func familyOf(typ string, first byte) format.Family {
	switch f := format.Of(typ); f {
	case format.Text, format.Binary:
		if first == '{' || first == '[' {
			return format.JSON
		}
		if first == '<' && typ == "" {
			return format.XML
		}
		return f
	default:
		return f
	}
}

func orUnknown(typ string) string {
	if typ == "" {
		return "of an unknown type"
	}
	return typ
}

// title is the beginning of a page of HTML, or its title if that can be seen.
func title(in *bufio.Reader) string {
	text, _ := in.Peek(sniffed)
	lower := bytes.ToLower(text)
	if from := bytes.Index(lower, []byte("<title>")); from >= 0 {
		if to := bytes.Index(lower[from:], []byte("</")); to > 0 {
			return strings.TrimSpace(strings.ToValidUTF8(string(text[from+len("<title>"):from+to]), "\ufffd"))
		}
	}
	return strings.ToValidUTF8(string(text[:min(len(text), 100)]), "\ufffd")
}

// document reads a JSON document whose list need not fit into memory.
func (s *shape) document(a *answer, in io.Reader, first byte) error {
	if len(s.path) == 0 && first != '[' {
		return fmt.Errorf(`records: the answer is no list; name the list in it: records = "response.body.…"`)
	}
	r, err := format.NewJSONReader(in, format.Array{Path: s.path, RawOnly: true, KeepRest: true})
	if err != nil {
		return err
	}
	a.reader, a.rest = r, r.Rest
	return nil
}

func table(typ string) format.Table {
	media, params, _ := mime.ParseMediaType(typ) // of one that is faulty, nothing counts
	t := format.Table{NoHeader: params["header"] == "absent", Encoding: params["charset"]}
	if media == "text/tab-separated-values" {
		t.Delimiter = '\t'
	}
	return t
}

func isUTF8(typ string) bool {
	_, params, _ := mime.ParseMediaType(typ)
	switch strings.ToLower(params["charset"]) {
	case "", "utf-8", "utf8", "us-ascii":
		return true
	}
	return false
}
