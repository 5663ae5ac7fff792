package sql

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/sql"
	shaped "github.com/syncd/syncd/engine/row"
)

// types are those of columns that create_table makes.
var types = map[conn.Dialect]map[string]string{
	conn.Postgres: {"bool": "boolean", "int": "bigint", "number": "numeric", "time": "timestamptz", "json": "jsonb", "text": "text", "key": "text"},
	conn.MySQL:    {"bool": "boolean", "int": "bigint", "number": "double", "time": "datetime(6)", "json": "json", "text": "longtext", "key": "varchar(255)"},
	conn.SQLite:   {"bool": "boolean", "int": "integer", "number": "real", "time": "text", "json": "text", "text": "text", "key": "text"},
}

// create makes the table for what the events hold.
func (s *sink) create(ctx context.Context, ds []component.Delivery) error {
	found, err := s.sample(ds)
	if err != nil {
		return component.Unwell(err)
	}
	d := s.db.Dialect
	var parts, keys []string
	for _, name := range slices.Sorted(maps.Keys(found)) {
		what := found[name]
		isKey := slices.Contains(s.cfg.Key, name)
		if isKey && (what == "text" || what == "") {
			what = "key"
		}
		if what == "" { // nothing but null so far
			what = "text"
		}
		part := d.Quote(name) + " " + types[d][what]
		if isKey {
			part += " NOT NULL"
		}
		parts = append(parts, part)
	}
	for _, name := range s.cfg.Key {
		keys = append(keys, d.Quote(name))
	}
	if len(keys) > 0 {
		parts = append(parts, "PRIMARY KEY ("+strings.Join(keys, ", ")+")")
	}
	text := "CREATE TABLE IF NOT EXISTS " + d.QuoteTable(s.cfg.Table) + " (" + strings.Join(parts, ", ") + ")"
	if _, err := s.db.ExecContext(ctx, text); err != nil {
		return s.db.Explain(err)
	}
	s.log.Info("table made", "statement", text)
	return nil
}

// sample tells which columns the events would fill, with what.
func (s *sink) sample(ds []component.Delivery) (map[string]string, error) {
	found := map[string]string{}
	for _, name := range s.cfg.Key {
		found[name] = ""
	}
	for i := range ds {
		values, _ := ds[i].Event.Body.(map[string]any)
		if r, ok := ds[i].Event.Body.(*shaped.Row); ok {
			values = r.Map()
		}
		if len(s.cfg.Columns) > 0 {
			in := ds[i].Event.Input()
			values = map[string]any{}
			for name, e := range s.cfg.Columns {
				values[name], _ = e.Eval(in) // the event fails of it later
			}
		}
		for name, v := range values {
			found[name] = wider(found[name], typeOf(v))
		}
	}
	if len(found) == 0 {
		return nil, errors.New("create_table finds no fields: the first events' bodies are no objects; give columns")
	}
	return found, nil
}

func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return ""
	case bool:
		return "bool"
	case int64:
		return "int"
	case float64, json.Number:
		return "number"
	case time.Time:
		return "time"
	case string:
		return "text"
	}
	return "json"
}

// wider is the type that takes both.
func wider(a, b string) string {
	switch {
	case a == b || b == "":
		return a
	case a == "":
		return b
	case a == "int" && b == "number" || a == "number" && b == "int":
		return "number"
	}
	return "text"
}
