package expr

import (
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// What docs/expressions.md says that its examples yield is what they yield. They
// stand in tables whose first line is a key of documented.
func TestDocumentedExamples(t *testing.T) {
	page, err := os.ReadFile("../../docs/expressions.md")
	if err != nil {
		t.Fatal(err)
	}
	in := documentedEvent(t, string(page))
	n, head := 0, ""
	for line := range strings.Lines(string(page)) {
		row := cells(line)
		switch {
		case len(row) == 0:
			head = ""
		case head == "":
			head = strings.Join(row, " ")
		case documented[head] != nil && row[0] != "---":
			n++
			if got, want := documented[head](row, in), row[len(row)-1]; got != want {
				t.Errorf("%s\n got %s\nwant %s", strings.Join(row[:len(row)-1], ", "), got, want)
			}
		}
	}
	if n < 70 {
		t.Errorf("found only %d examples", n)
	}
}

// documented tells what a row says of an event, by the head of its table.
var documented = map[string]func(row []string, in *Input) string{
	"expression yields": func(row []string, in *Input) string {
		v, err := documentedValue(row[0], in)
		if err != nil {
			return err.Error()
		}
		text, err := json.Marshal(v)
		if err != nil {
			return err.Error()
		}
		return string(text)
	},
	"expression answer": func(row []string, in *Input) string {
		_, err := documentedValue(row[0], in)
		var fault *Error
		if !errors.As(err, &fault) {
			return "no error"
		}
		return (&Error{Message: fault.Message, Hint: fault.Hint}).Error()
	},
	"place template yields": func(row []string, in *Input) string {
		for _, place := range []Escape{Path, Query, Header, FileName} {
			if place.String() != row[0] {
				continue
			}
			tmpl, err := CompileTemplate(Source{Text: row[1]}, place, documentedScope)
			if err != nil {
				return err.Error()
			}
			text, err := tmpl.Eval(in)
			if err != nil {
				return err.Error()
			}
			return text
		}
		return "there is no such place"
	},
}

var documentedScope = &Scope{
	Names:   []string{"body", "event", "meta", "parent", "vars"},
	Secrets: map[string]string{"shop": "s3cret"},
}

func documentedValue(text string, in *Input) (any, error) {
	e, err := Compile(Source{Text: text}, documentedScope)
	if err != nil {
		return nil, err
	}
	return e.Eval(in)
}

// documentedEvent is the event that the page shows.
func documentedEvent(t *testing.T, page string) *Input {
	t.Helper()
	m := regexp.MustCompile("(?s)```json\n(.*?)```").FindStringSubmatch(page)
	if m == nil {
		t.Fatal("the page shows no event")
	}
	body, err := documentedValue("fromJSON(body)", &Input{Body: m[1]})
	if err != nil {
		t.Fatal(err)
	}
	return &Input{Body: body, Event: Event{ID: "01a2", Time: time.Date(2026, 11, 22, 23, 30, 5, 0, time.UTC)}}
}

// cells are those of a line of a table, without the marks of code; none for any
// other line.
func cells(line string) []string {
	line, ok := strings.CutPrefix(strings.TrimSpace(line), "|")
	if !ok {
		return nil
	}
	var all []string
	for _, c := range strings.Split(strings.ReplaceAll(strings.TrimSuffix(line, "|"), `\|`, "\x00"), "|") {
		c = strings.TrimSpace(strings.ReplaceAll(c, "\x00", "|"))
		if len(c) > 1 && strings.HasPrefix(c, "`") && strings.HasSuffix(c, "`") {
			c = c[1 : len(c)-1]
		}
		all = append(all, c)
	}
	return all
}
