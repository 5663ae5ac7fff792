package sql

import (
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/sql"
	"github.com/syncd/syncd/engine/format"
)

// column of what is read, by what the database calls its type.
type column struct {
	name, kind            string
	binary, decimal, json bool
	single, date          bool
}

var binaries = []string{"BYTEA", "BINARY", "VARBINARY", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB", "BIT", "GEOMETRY"}

// columnsOf: in SQLite, any column may hold bytes, and no text comes as such.
func columnsOf(d conn.Dialect, rows *sql.Rows) ([]*column, error) {
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	all := make([]*column, len(types))
	seen := map[string]bool{}
	for i, t := range types {
		kind, _, _ := strings.Cut(strings.ToUpper(t.DatabaseTypeName()), "(")
		kind = strings.TrimPrefix(kind, "UNSIGNED ")
		all[i] = &column{
			name: t.Name(), kind: kind, binary: d == conn.SQLite || slices.Contains(binaries, kind),
			decimal: kind == "NUMERIC" || kind == "DECIMAL", json: kind == "JSON" || kind == "JSONB",
			single: kind == "FLOAT4" || kind == "FLOAT", date: kind == "DATE",
		}
		if seen[t.Name()] {
			return nil, component.Permanent(fmt.Errorf("two columns are called %s: the query must give them names of their own, by AS", t.Name()))
		}
		seen[t.Name()] = true
	}
	return all, nil
}

// value is what an event holds of v, which the driver has read: nil, bool, int64,
// float64, string or, of a JSON column, whatever it is.
func (c *column) value(v any) any {
	switch v := v.(type) {
	case nil, bool, int64:
		return v
	case uint64:
		if v > math.MaxInt64 {
			return strconv.FormatUint(v, 10)
		}
		return int64(v)
	case float32:
		return short(v)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return strconv.FormatFloat(v, 'g', -1, 64)
		}
		if c.single {
			return short(float32(v))
		}
		return v
	case time.Time:
		return c.time(v)
	case []byte:
		if c.binary {
			return base64.StdEncoding.EncodeToString(v)
		}
		return c.text(string(v))
	case string:
		return c.text(v)
	}
	return fmt.Sprint(v)
}

// short is a single-precision number as it is written, without the noise of a double.
func short(f float32) any {
	v, err := strconv.ParseFloat(strconv.FormatFloat(float64(f), 'g', -1, 32), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return fmt.Sprint(f)
	}
	return v
}

func (c *column) time(t time.Time) any {
	switch {
	case t.IsZero(): // MySQL's 0000-00-00
		return nil
	case c.date:
		return t.Format(time.DateOnly)
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func (c *column) text(s string) any {
	if c.json {
		if v, err := format.DecodeJSON([]byte(s)); err == nil {
			return v
		}
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// digest tells a row from others.
type digest [12]byte

// record is a row on its way to the intake.
type record struct {
	draft component.Draft
	sum   digest
	bytes int
}

// newRecord makes the draft of a row.
func newRecord(names []string, columns []*column, read []any) (record, error) {
	values := make([]any, len(names))
	plain := true
	for i := range names {
		values[i] = columns[i].value(read[i])
		plain = plain && !columns[i].json
	}
	raw, err := format.AppendJSON(nil, values)
	if err != nil {
		return record{}, fmt.Errorf("read a row: %w", err)
	}
	sum := sha256.Sum256(raw)
	r := record{bytes: len(raw), sum: digest(sum[:12])}
	r.draft.Content = string(sum[:16])
	if plain {
		r.draft.Names, r.draft.Values = names, values
		return r, nil
	}
	body := make(map[string]any, len(names))
	for i, name := range names {
		body[name] = values[i]
	}
	r.draft.Body = body
	return r, nil
}
