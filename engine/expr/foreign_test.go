package expr

import (
	"errors"
	"regexp"
	"strings"
	"testing"
)

// TestForeign writes what people know from SQL, JavaScript, Python and Terraform.
func TestForeign(t *testing.T) {
	for _, c := range []struct{ text, at, want string }{
		{"length(body.x)", "length", "there is no function length: write len(body.x)"},
		{"toUpperCase(body.x)", "toUpperCase", "there is no function toUpperCase: write upper(body.x)"},
		{"body.total.toString()", "toString", "there is no method toString: write string(body.total)"},
		{"coalesce(body.x, 5)", "coalesce", "there is no function coalesce: write body.x ?? …"},
		{"env('HOME')", "env", "there is no function env: this function works at load: give its value to a local, and write local.NAME here"},
		{"body.x like 'a%'", "like", "unexpected like: write contains, startsWith or endsWith, or matches with a pattern"},
		{"if body.x then 1 else 2", "then", "unexpected then: a choice is written condition ? value : other"},
		{"body.x IS NULL", "IS", "unexpected IS: write == to compare, == nil where nothing is there"},
		{"body.x is nil", "is", "unexpected is: write == to compare, == nil where nothing is there"},
		{"body.x AND body.y", "AND", "unexpected AND: write and"},
		{"body.x in ('a', 'b')", ",", "unexpected ,: a list is written in brackets: ['a', 'b']"},
		{"'it''s'", "'s'", `unexpected s: a quote inside of text is written \', or the text put in "…"`},
		{"filter(body.lines, x => x.y)", "=>", "there is no operator =>: write >= to compare; in map, filter and their like, # is the element"},
	} {
		_, err := Compile(Source{Text: c.text}, sampleScope())
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v, want an *Error", c.text, err)
			continue
		}
		if got := e.Message + ": " + e.Hint; got != c.want || e.Offset != strings.Index(c.text, c.at) || e.Length != len(c.at) {
			t.Errorf("%s\n got %d+%d %s\nwant %q: %s", c.text, e.Offset, e.Length, got, c.at, c.want)
		}
	}
}

// TestForeignFunctions holds what is suggested against what there is, and sees that
// nothing that exists is called foreign.
func TestForeignFunctions(t *testing.T) {
	call := regexp.MustCompile(`^(\w+)\(`)
	for theirs, ours := range foreignFunctions {
		if functions[theirs] != nil || loopKinds[theirs] != nil {
			t.Errorf("%s exists", theirs)
		}
		if m := call.FindStringSubmatch(ours); m != nil && functions[m[1]] == nil {
			t.Errorf("%s: there is no %s", theirs, m[1])
		}
		if _, err := Compile(Source{Text: strings.NewReplacer("$", "body.x", "…", "5").Replace(ours)}, nil); err != nil {
			t.Errorf("%s: %v", theirs, err)
		}
	}
}
