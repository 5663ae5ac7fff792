package config

import (
	"strings"
	"testing"
)

// TestDeepNesting: what would overflow a recursive parser's stack is refused.
func TestDeepNesting(t *testing.T) {
	const n = 1 << 15
	for name, expr := range map[string]string{
		"parentheses":  strings.Repeat("(", n),
		"brackets":     strings.Repeat("[", n),
		"braces":       strings.Repeat("{a=", n),
		"calls":        strings.Repeat("f(", n),
		"negations":    strings.Repeat("!", n) + "true",
		"minus":        strings.Repeat("-", n) + "1",
		"conditionals": strings.Repeat("a?b:", n) + "c",
		"sums":         strings.Repeat("1+", n) + "1",
		"indexes":      "a" + strings.Repeat("[b]", n),
		"templates":    strings.Repeat(`"${`, n),
		"directives":   `"` + strings.Repeat("%{if true}", n) + `"`,
		"splats":       "a" + strings.Repeat("[*]", n),
		"heredocs":     strings.Repeat("<<E\n${", n),
		"over lines":   strings.Repeat("(\n!\n", n),
	} {
		_, diags := loadBytes([]byte("locals { x = " + expr + " }\n"))
		if len(diags) != 1 || diags[0].Summary != "nested too deeply" {
			t.Errorf("%s: %d diagnostics: %.200s", name, len(diags), rendered(diags[:min(1, len(diags))]))
		}
	}
	if _, diags := loadBytes([]byte(strings.Repeat("a {\n", n))); len(diags) != 1 {
		t.Errorf("blocks: %d diagnostics", len(diags))
	}
}

func TestLongFilesAreNotDeep(t *testing.T) {
	list := "locals {\n  x = [\n" + strings.Repeat(`    { a = 1 + 2, b = "x ${upper("y")} z", c = [1, -2, !true] },`+"\n", 5000) + "  ]\n}\n"
	if _, diags := loadBytes([]byte(list)); diags.HasErrors() {
		t.Errorf("%.500s", rendered(diags))
	}
}

// TestBrokenFileKeepsTheRest: a mistake in the syntax of one block hides neither the
// mistakes of other blocks and files, nor makes new ones of what refers to it.
func TestBrokenFileKeepsTheRest(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"a.hcl": "source \"webhook\" \"a\" {\n  path = \"/a\n}\n",
		"b.hcl": "source \"webhook\" \"b\" {\n  pth = \"/b\"\n}\nflow \"x\" {\n  from = [source.webhook.a, source.webhook.c]\n  to = sink.log.debug\n}\n",
		"c.hcl": "sink \"log\" \"debug\" {\n  when =\n}\n",
	})
	_, diags := Load(dir, testKinds, Options{})
	want := []string{
		"a.hcl error: string without an end", "b.hcl error: unknown attribute \"pth\"",
		"b.hcl error: there is no source.webhook.c", "c.hcl error: when has no value",
	}
	var got []string
	for _, d := range diags {
		got = append(got, strings.TrimPrefix(d.Range.File, dir+"/")+" "+string(d.Severity)+": "+d.Summary)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", rendered(diags))
	}
}
