package format

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/transform"
)

// transcoder reads text of another encoding as UTF-8, and knows where in the
// document each line ends: encodings have different lengths for the same text.
type transcoder struct {
	src   io.Reader
	dec   transform.Transformer
	width int // bytes of a line break: 1, or 2 in UTF-16
	big   bool
	name  string

	room    []byte
	raw     []byte // the part of room that is read and not decoded
	eof     error
	from    int64 // offset of raw[0] in the document
	decoded int64 // bytes of text given so far
	marks   []mark
	known   mark // the last mark that was asked for
}

// mark is a place in the text and in the document.
type mark struct{ text, document int64 }

func newTranscoder(name string) (*transcoder, error) {
	enc, err := htmlindex.Get(name)
	if err != nil {
		return nil, &CharsetError{Name: name, Msg: "unknown"}
	}
	t := &transcoder{dec: enc.NewDecoder().Transformer, width: 1, name: name, room: make([]byte, inputSize)}
	if canonical, err := htmlindex.Name(enc); err == nil {
		t.name = canonical
		if strings.HasPrefix(canonical, "utf-16") {
			t.width, t.big = 2, canonical == "utf-16be"
		}
	}
	return t, nil
}

func (t *transcoder) resume(rest io.Reader, from int64) {
	t.src, t.raw, t.eof, t.marks = rest, nil, nil, nil
	t.from, t.decoded, t.known = from, 0, mark{0, from}
	t.dec.Reset()
}

// Read decodes as many lines, or as much of a long one, as fit.
func (t *transcoder) Read(p []byte) (int, error) {
	n := 0
	for {
		for len(t.raw) > 0 {
			wrote, read, err := t.decode(p[n:])
			n += wrote
			if read == 0 && wrote == 0 {
				if errors.Is(err, transform.ErrShortDst) {
					return n, nil
				}
				break // half a character
			}
		}
		if n > 0 {
			return n, nil
		}
		if t.eof != nil {
			return 0, t.eof
		}
		t.more()
	}
}

// decode decodes up to the end of the next line, and marks that.
func (t *transcoder) decode(p []byte) (wrote, read int, err error) {
	line := t.raw
	end := t.lineEnd()
	if end > 0 {
		line = t.raw[:end]
	}
	wrote, read, err = t.dec.Transform(p, line, t.eof != nil && len(line) == len(t.raw))
	t.decoded += int64(wrote)
	t.from += int64(read)
	t.raw = t.raw[read:]
	if read > 0 && read == end {
		t.marks = append(t.marks, mark{t.decoded, t.from})
	}
	return wrote, read, err
}

// lineEnd is 0 when no line ends in raw.
func (t *transcoder) lineEnd() int {
	if t.width == 1 {
		return bytes.IndexByte(t.raw, '\n') + 1
	}
	high := 1 // where the zero byte of U+000A stands
	if t.big {
		high = 0
	}
	for at := 0; ; {
		n := bytes.IndexByte(t.raw[at:], '\n')
		if n < 0 {
			return 0
		}
		at += n
		unit := at &^ 1
		if at != unit+1-high {
			at++
			continue
		}
		if unit+1 >= len(t.raw) {
			return 0
		}
		if t.raw[unit+high] == 0 {
			return unit + 2
		}
		at++
	}
}

func (t *transcoder) more() {
	kept := copy(t.room, t.raw)
	n, err := t.src.Read(t.room[kept:])
	t.raw, t.eof = t.room[:kept+n], err
}

// offset in the document of a place in the text where a line ends; places are
// asked for in order.
func (t *transcoder) offset(text int64) int64 {
	for len(t.marks) > 0 && t.marks[0].text <= text {
		t.known, t.marks = t.marks[0], t.marks[1:]
	}
	if text == t.decoded {
		return t.from
	}
	return t.known.document
}

// sniff tells the encoding, and how long its byte order mark is. A mark says more
// than a name that somebody has configured.
func (in *input) sniff(charset string) (name string, mark int, err error) {
	for len(in.buf) < longestMagic && in.fill() {
	}
	if in.err != nil && !errors.Is(in.err, io.EOF) {
		return "", 0, in.err
	}
	switch {
	case bytes.HasPrefix(in.buf, []byte("\xef\xbb\xbf")):
		return "utf-8", 3, nil
	case bytes.HasPrefix(in.buf, []byte("\xff\xfe")):
		return "utf-16le", 2, nil
	case bytes.HasPrefix(in.buf, []byte("\xfe\xff")):
		return "utf-16be", 2, nil
	}
	return charset, 0, nil
}

// magics are what files begin with that partners send in place of text.
var magics = []struct{ magic, advice string }{
	{"PK\x03\x04", `this is a ZIP archive or an Excel workbook: the format "xlsx" reads the latter`},
	{"\xd0\xcf\x11\xe0", "this looks like a workbook of old Excel (.xls): have it saved as .xlsx or as CSV"},
	{"\x1f\x8b", `this is compressed with gzip: source "files" unpacks what has a name in .gz`},
	{"\x28\xb5\x2f\xfd", `this is compressed with zstd: source "files" unpacks what has a name in .zst`},
	{"%PDF-", "this is a PDF, which has no records"},
}

const longestMagic = 5

// notText says what a document that begins so is instead of text, and what to do; "":
// it may be text.
func notText(begin []byte) (advice string) {
	for _, m := range magics {
		if bytes.HasPrefix(begin, []byte(m.magic)) {
			return m.advice
		}
	}
	return ""
}
