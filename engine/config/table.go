package config

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/format"
)

// maxTable is the size that the file of a table may have. In memory its rows take
// several times that.
const maxTable = 16 << 20

type tableConfig struct {
	Description string `hcl:"description" doc:"A note for people; nothing depends on it."`
	File        string `hcl:"file,required" path:"file" doc:"The file with its rows: .csv or .tsv with the names of columns in the first line, .json with a list of objects, .ndjson with an object a line." example:"\"countries.csv\""`
	Key         string `hcl:"key,required" doc:"The column whose text finds a row; no two rows have the same." example:"\"code\""`
}

// tableFormats are the content types of tables' files, by their extensions.
var tableFormats = map[string]string{
	".csv": "text/csv", ".tsv": "text/tab-separated-values", ".json": "application/json", ".ndjson": "application/x-ndjson", ".jsonl": "application/x-ndjson",
}

// Validate checks the file's extension.
func (c *tableConfig) Validate(p *component.Problems) {
	if tableFormats[strings.ToLower(filepath.Ext(c.File))] == "" {
		p.Error("file", "unknown format of a table", fmt.Sprintf("The extension of a table's file says how it is read: %s.", either(keys(tableFormats))))
	}
}

// decodeTables reads the tables. One that cannot be read is known by its name only.
func (l *loader) decodeTables() {
	for i := range l.blocks["table"] {
		d := &l.blocks["table"][i]
		var cfg tableConfig
		dec := l.decoding(d.file, "in "+blockName(d.block))
		dec.block(d.block, "", &cfg)
		dec.validate()
		if l.index[d.address] != d {
			continue
		}
		l.tables[d.block.Labels[0]] = nil
		if dec.failed || len(dec.open) > 0 {
			continue
		}
		t := tableReader{decoding: dec, declared: d, cfg: cfg}
		if rows, ok := t.read(); ok {
			l.tables[d.block.Labels[0]] = expr.NewTable(rows)
		}
	}
}

// tableReader reads the file of one table.
type tableReader struct {
	*decoding
	declared *declared
	cfg      tableConfig
	raw      []byte
}

// place is the spot of an attribute of the block.
func (t *tableReader) place(attr string) spot {
	return t.at(t.declared.block.Body.Attributes[attr].Expr.Range())
}

func (t *tableReader) read() (rows map[string]map[string]any, ok bool) {
	raw, err := readBounded(t.cfg.File, maxTable)
	if err != nil {
		t.unreadable(err)
		return nil, false
	}
	t.l.include(t.cfg.File)
	t.raw = raw
	v, err := format.Decode(t.contentType(), raw)
	var fault *format.SyntaxError
	if errors.As(err, &fault) {
		t.rowError("file", fault.Line, "malformed table", sentence(upperFirst(fault.Msg)))
		return nil, false
	}
	if err != nil {
		t.error(t.place("file"), "malformed table", sentence(err.Error()))
		return nil, false
	}
	return t.rows(v)
}

func (t *tableReader) contentType() string {
	return tableFormats[strings.ToLower(filepath.Ext(t.cfg.File))]
}

func (t *tableReader) unreadable(err error) {
	var cause *fs.PathError
	if errors.As(err, &cause) {
		err = cause.Err
	}
	detail := fmt.Sprintf("%s: %v.", shortPath(t.cfg.File), err)
	if errors.Is(err, fs.ErrNotExist) {
		detail = fmt.Sprintf("%s does not exist.", shortPath(t.cfg.File)) + line(suggestFile(t.cfg.File))
	}
	t.error(t.place("file"), "cannot read the table", detail)
}

// suggestFile looks for a file of a similar name beside path.
func suggestFile(path string) string {
	beside, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	for i := range beside {
		beside[i] = filepath.Base(beside[i])
	}
	return suggest(filepath.Base(path), beside)
}

// rows finds each row of the decoded file by its key.
func (t *tableReader) rows(v any) (map[string]map[string]any, bool) {
	list, ok := v.([]any)
	if !ok {
		t.error(t.place("file"), "malformed table", fmt.Sprintf("%s is to hold a list of objects.", shortPath(t.cfg.File)))
		return nil, false
	}
	rows, at := make(map[string]map[string]any, len(list)), make(map[string]int, len(list))
	for i, v := range list {
		row, ok := v.(map[string]any)
		if !ok {
			t.rowError("file", t.line(i), "malformed table", "A row is an object with the names of its columns.")
			return nil, false
		}
		key, ok := t.key(row, i)
		if !ok {
			return nil, false
		}
		if first, taken := at[key]; taken {
			t.rowError("key", t.line(i), "two rows with one key", fmt.Sprintf("%s is %q here and in line %d: a key finds one row.", t.cfg.Key, key, t.line(first)))
			return nil, false
		}
		rows[key], at[key] = row, i
	}
	return rows, true
}

// key is the text of row i's key.
func (t *tableReader) key(row map[string]any, i int) (string, bool) {
	switch key := row[t.cfg.Key].(type) {
	case string:
		return key, true
	case int64:
		return strconv.FormatInt(key, 10), true
	case json.Number:
		return key.String(), true
	case nil:
		columns := keys(row)
		detail := fmt.Sprintf("The columns are %s.", list(columns)) + line(suggest(t.cfg.Key, columns))
		if i > 0 {
			detail = fmt.Sprintf("Each row needs its %s, by which it is found.", t.cfg.Key)
		}
		t.rowError("key", t.line(i), fmt.Sprintf("a row without %q", t.cfg.Key), detail)
	default:
		t.rowError("key", t.line(i), fmt.Sprintf("%q is no text", t.cfg.Key), "A key is text or a whole number.")
	}
	return "", false
}

// rowError reports a mistake in the table's file, at what the block says of it.
func (t *tableReader) rowError(attr string, n int, summary, detail string) {
	t.error(t.place(attr), summary, fmt.Sprintf("%s:%d: %s", shortPath(t.cfg.File), n, detail))
}

// line is where row i of the file stands.
func (t *tableReader) line(i int) int {
	switch t.contentType() {
	case "application/json":
		return t.lineOfElement(i)
	case "application/x-ndjson":
		return t.lineOfText(i)
	}
	r := csv.NewReader(bytes.NewReader(t.raw))
	if t.contentType() != "text/csv" {
		r.Comma = '\t'
	}
	for range i + 2 { // the header is one more
		if _, err := r.Read(); err != nil {
			return 1
		}
	}
	n, _ := r.FieldPos(0)
	return n
}

// lineOfElement is the line of the i-th element of a JSON list.
func (t *tableReader) lineOfElement(i int) int {
	dec := json.NewDecoder(bytes.NewReader(t.raw))
	_, _ = dec.Token() // the bracket: it has been read before
	for range i {
		var skip json.RawMessage
		if dec.Decode(&skip) != nil {
			return 1
		}
	}
	at := int(dec.InputOffset())
	at += len(t.raw[at:]) - len(bytes.TrimLeft(t.raw[at:], ", \t\r\n"))
	return 1 + bytes.Count(t.raw[:at], []byte("\n"))
}

// lineOfText is the line of the i-th line that holds something.
func (t *tableReader) lineOfText(i int) int {
	lines := bytes.Split(t.raw, []byte("\n"))
	n := slices.IndexFunc(lines, func(line []byte) bool {
		if len(bytes.TrimSpace(line)) > 0 {
			i--
		}
		return i < 0
	})
	return n + 1
}
