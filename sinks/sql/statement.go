package sql

import (
	"slices"
	"strings"

	conn "github.com/syncd/syncd/engine/connect/sql"
)

// parameters finds the :names of a statement, in the order of their first use, and
// writes instead of each what place gives for it: its number in names, from 0. What is
// quoted, a comment, or a cast (::) is left as it is.
func parameters(statement string, place func(n int) string) (text string, names []string) {
	var b strings.Builder
	for i := 0; i < len(statement); {
		if n := skipped(statement[i:]); n > 0 {
			b.WriteString(statement[i : i+n])
			i += n
			continue
		}
		name := ""
		if statement[i] == ':' {
			name = nameAt(statement[i+1:])
		}
		if name == "" {
			b.WriteByte(statement[i])
			i++
			continue
		}
		n := slices.Index(names, name)
		if n < 0 {
			n = len(names)
			names = append(names, name)
		}
		b.WriteString(place(n))
		i += 1 + len(name)
	}
	return b.String(), names
}

// skipped is the length of what s begins with and is no place for parameters: a quoted
// text, a comment, a "::".
func skipped(s string) int {
	var closing string
	switch {
	case strings.HasPrefix(s, "::"):
		return 2
	case strings.HasPrefix(s, "--"):
		closing = "\n"
	case strings.HasPrefix(s, "/*"):
		closing = "*/"
	case s[0] == '\'', s[0] == '"', s[0] == '`':
		closing = s[:1]
	default:
		return 0
	}
	if n := strings.Index(s[len(closing):], closing); n >= 0 {
		return n + 2*len(closing)
	}
	return len(s)
}

func nameAt(s string) string {
	n := 0
	for n < len(s) && (s[n] == '_' || s[n]|0x20 >= 'a' && s[n]|0x20 <= 'z' || n > 0 && s[n] >= '0' && s[n] <= '9') {
		n++
	}
	return s[:n]
}

// compiled is a statement as the database wants it, with the name of each value that
// is to be bound.
type compiled struct {
	text  string
	names []string
}

func compile(d conn.Dialect, statement string) compiled {
	var bound []int
	text, names := parameters(statement, func(n int) string {
		bound = append(bound, n)
		return d.Param(n + 1)
	})
	if d == conn.Postgres { // $1 may stand in several places
		return compiled{text, names}
	}
	c := compiled{text: text}
	for _, n := range bound {
		c.names = append(c.names, names[n])
	}
	return c
}

// sentence is the SQL that does mode with n rows of these columns.
func (t *table) sentence(mode string, columns []*column, n int) string {
	var names, keys, others []string
	for _, c := range columns {
		names = append(names, t.dialect.Quote(c.name))
		if c.isKey {
			keys = append(keys, t.dialect.Quote(c.name))
		} else {
			others = append(others, t.dialect.Quote(c.name))
		}
	}
	switch mode {
	case remove:
		return "DELETE FROM " + t.quoted() + " WHERE " + t.equals(keys, 0, " AND ")
	case update:
		return "UPDATE " + t.quoted() + " SET " + t.equals(others, 0, ", ") + " WHERE " + t.equals(keys, len(others), " AND ")
	}
	text := "INSERT INTO " + t.quoted() + " (" + strings.Join(names, ", ") + ") VALUES " + t.tuples(len(columns), n)
	if mode == upsert {
		text += t.onConflict(keys, others)
	}
	return text
}

func (t *table) quoted() string { return t.dialect.QuoteTable(t.name) }

func (t *table) equals(names []string, before int, between string) string {
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = name + " = " + t.dialect.Param(before+i+1)
	}
	return strings.Join(parts, between)
}

func (t *table) tuples(width, n int) string {
	var b strings.Builder
	for i := range n {
		for j := range width {
			switch {
			case j > 0:
				b.WriteByte(',')
			case i > 0:
				b.WriteString(",(")
			default:
				b.WriteByte('(')
			}
			b.WriteString(t.dialect.Param(i*width + j + 1))
		}
		b.WriteByte(')')
	}
	return b.String()
}

// onConflict takes over the new row's values. A row that is all key stays as it is.
func (t *table) onConflict(keys, others []string) string {
	set := make([]string, len(others))
	if t.dialect == conn.MySQL {
		for i, name := range others {
			set[i] = name + " = VALUES(" + name + ")"
		}
		if len(set) == 0 {
			set = []string{keys[0] + " = " + keys[0]}
		}
		return " ON DUPLICATE KEY UPDATE " + strings.Join(set, ", ")
	}
	for i, name := range others {
		set[i] = name + " = excluded." + name
	}
	text := " ON CONFLICT (" + strings.Join(keys, ", ") + ") DO "
	if len(set) == 0 {
		return text + "NOTHING"
	}
	return text + "UPDATE SET " + strings.Join(set, ", ")
}
