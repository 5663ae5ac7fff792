package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// table prints aligned columns; numbers stand to the right.
type table struct {
	indent string
	head   []string
	rows   [][]any // strings and int64
}

func newTable(head ...string) *table { return &table{head: head} }

func (t *table) add(cells ...any) { t.rows = append(t.rows, cells) }

// flush writes the rows so far and forgets them; the head comes once.
func (t *table) flush(w io.Writer) error {
	rows := make([][]string, 0, len(t.rows)+1)
	if t.head != nil {
		rows = append(rows, t.head)
	}
	right := map[int]bool{}
	for _, cells := range t.rows {
		row := make([]string, len(cells))
		for i, c := range cells {
			if n, ok := c.(int64); ok {
				row[i], right[i] = strconv.FormatInt(n, 10), true
				continue
			}
			row[i] = line(c.(string))
		}
		rows = append(rows, row)
	}
	t.head, t.rows = nil, nil
	return writeRows(w, t.indent, rows, right)
}

func writeRows(w io.Writer, indent string, rows [][]string, right map[int]bool) error {
	var width []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var l strings.Builder
		for i, c := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(c))
			if right[i] {
				c, pad = pad+c, ""
			}
			l.WriteString(c + pad + "  ")
		}
		b.WriteString(indent + strings.TrimRight(l.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// clean shows control characters instead of sending them to the terminal: what a
// sender or a peer wrote must not be able to drive it. Line breaks and tabs stay.
func clean(s string) string {
	if !strings.ContainsFunc(s, hostile) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if !hostile(r) {
			b.WriteRune(r)
			continue
		}
		q := strconv.QuoteRuneToASCII(r)
		b.WriteString(q[1 : len(q)-1])
	}
	return b.String()
}

// hostile also counts what turns the direction of text around.
func hostile(r rune) bool {
	return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r))
}

// line is clean on one line.
func line(s string) string { return strings.Join(strings.Fields(clean(s)), " ") }

// short cuts s to n characters, and says so.
func short(s string, n int) string {
	s = line(s)
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// ago is the age of t in one unit: "3m ago".
func ago(now, t time.Time) string {
	d := now.Sub(t)
	if d < 0 {
		return "in " + span(-d)
	}
	return span(d) + " ago"
}

// span is d in its largest unit.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day:
		return fmt.Sprintf("%dd", d/day)
	case d >= time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d >= time.Minute:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

// sizeText is n in the unit that people read: "12.3 MiB".
func sizeText(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	f, u := float64(n), 0
	for ; f >= 1024 && u < len(units)-1; u++ {
		f /= 1024
	}
	if u == 0 || f == float64(int64(f)) {
		return fmt.Sprintf("%d %s", int64(f), units[u])
	}
	return fmt.Sprintf("%.1f %s", f, units[u])
}
