package expr

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

// hostileInput holds what an event may bring to make an expression expensive.
func hostileInput() *Input {
	thousand := make([]any, 1000)
	for i := range thousand {
		thousand[i] = int64(i)
	}
	return &Input{Body: map[string]any{
		"n": thousand, "s": strings.Repeat("a", 1<<20), "t": strings.Repeat("a", 1<<20),
		"records": func() []any {
			all := make([]any, 5000)
			for i := range all {
				all[i] = map[string]any{"id": int64(i), "name": "somebody with a name", "tags": []any{"a", "b"}}
			}
			return all
		}(),
		"pattern": `(\pL{9}\pN{2}){5}`, "json": "[" + strings.Repeat("[],", 1<<18) + "[]]",
		"objects": "[" + strings.Repeat(`{"":{}},`, 1<<17) + "0]",
		"xml":     "<a>" + strings.Repeat("<b/>", 1<<18) + "</a>",
		"csv":     strings.Repeat("a,", 1<<18) + "\n" + strings.Repeat("1\n", 1<<10),
		"layout":  strings.Repeat("Monday", 1<<16),
	}}
}

// TestHostile runs expressions that want more than there is. Each must be
// stopped by the budget, soon, with little allocated: what is counted is all
// that was allocated, garbage included, which the peak cannot exceed.
func TestHostile(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector makes everything slow and large; nothing here is concurrent")
	}
	in := hostileInput()
	scope := &Scope{Names: []string{"body"}}
	for name, text := range map[string]string{
		"doubling text":             `reduce(1..40, #acc + #acc, "x")`,
		"replacing in a long text":  `replace(repeat("a", 1000000), "a", repeat("b", 1000))`,
		"replacing nothing":         `replace(body.s, "", body.s)`,
		"triple nesting":            `all(body.n, all(body.n, all(body.n, true)))`,
		"triple nesting of ranges":  `all(1..1000, all(1..1000, all(1..1000, #index >= 0)))`,
		"nested filters":            `len(filter(body.n, len(filter(body.n, len(filter(body.n, # > 0)) > 0)) > 0))`,
		"a huge range":              `1..9223372036854775807`,
		"a whole range":             `-9223372036854775807..9223372036854775807`,
		"ranges in a loop":          `map(1..1000, 1..100000)`,
		"repeat":                    `repeat("abc", 9000000000000000000)`,
		"repeat in a loop":          `map(1..1000, repeat(body.s, 10))`,
		"split and join":            `reduce(1..40, join(split(#acc, ""), #acc), "ab")`,
		"joining":                   `join(map(1..1000, body.s), body.s)`,
		"shared lists as JSON":      `toJSON(reduce(1..60, [#acc, #acc], [1]))`,
		"shared objects as JSON":    `toJSON(reduce(1..60, {{a: #acc, b: #acc}}, 1))`,
		"shared lists as result":    `reduce(1..60, [#acc, #acc], 1)`,
		"shared objects as result":  `reduce(1..60, {{a: #acc, b: #acc}}, 1)`,
		"shared lists compared":     `let a = reduce(1..60, [#acc, #acc], 1); let b = reduce(1..60, [#acc, #acc], 1); a == b`,
		"the input for each":        `map(body.n, body)`,
		"the input for each, twice": `map(body.n, map(body.n, body.records))`,
		"elements for each":         `map(body.n, filter(body.records, true))`,
		"deep nesting":              `reduce(1..100000, [#acc], 1)`,
		"deep nesting as JSON":      `toJSON(reduce(1..100000, {{a: #acc}}, 1))`,
		"flattening shared lists":   `len(flatten(reduce(1..60, [#acc, #acc], [1])))`,
		"largest of shared lists":   `max(reduce(1..60, [#acc, #acc], [1]))`,
		"median of shared lists":    `median(reduce(1..60, [#acc, #acc], [1]))`,
		"growing lists":             `len(reduce(1..60, concat(#acc, #acc), [1]))`,
		"unique objects":            `len(uniq(map(1..20000, {{a: #}})))`,
		"sorting again and again":   `map(body.n, sort(map(body.n, -#)))`,
		"sorting by":                `map(body.n, sortBy(body.records, -.id))`,
		"grouping":                  `map(body.n, groupBy(body.records, .id))`,
		"comparing long texts":      `all(body.n, all(body.n, body.s == body.t))`,
		"ordering long texts":       `all(body.n, all(body.n, body.s <= body.t))`,
		"searching long texts":      `all(body.n, all(body.n, not (body.s contains "aab")))`,
		"searching lists":           `all(body.n, all(body.n, not (-1 in body.n)))`,
		"upper case":                `map(body.n, upper(body.s))`,
		"hashing":                   `all(body.n, all(body.n, len(sha256(body.s)) > 0))`,
		"encoding":                  `reduce(1..40, toBase64(#acc), body.s)`,
		"percent encoding":          `map(body.n, urlEncode(repeat("%", 100000)))`,
		"hexadecimal":               `reduce(1..40, hex(#acc), body.s)`,
		"JSON in JSON":              `reduce(1..60, toJSON(#acc), '"')`,
		"JSON of lists":             `map(1..100, fromJSON(body.json))`,
		"JSON of objects":           `map(1..100, fromJSON(body.objects))`,
		"XML":                       `map(1..100, parseXML(body.xml))`,
		"CSV":                       `parseCSV(body.csv)`,
		"a pattern of an event":     `all(1..1000, not (body.s matches body.pattern))`,
		"a costly pattern":          `all(1..1000, not (body.s matches '(a|aa|aaa)*(a|aa)*b$'))`,
		"regexReplace":              `regexReplace(body.s, "a", body.s)`,
		"regexReplace with groups":  `regexReplace(body.s, "(a+)", "$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1$1")`,
		"layouts":                   `reduce(1..40, formatTime("2026-01-01", #acc + #acc), body.layout)`,
		"masking":                   `map(body.n, mask(body.s))`,
		"slugs":                     `map(body.n, slug(body.s))`,
		"pairs":                     `map(body.n, toPairs(groupBy(body.n, #)))`,
		"deeplinks":                 `map(body.n, deeplink("https://x", {a: body.s}))`,
		"uuids":                     `all(body.n, all(body.n, len(uuid()) > 0))`,
		"objects":                   `map(body.n, map(body.n, {{a: 1, b: 2}}))`,
		"keys":                      `all(body.n, len(map(body.n, {{(repeat("k", # * 100)): 1}})) > 0)`,
		"text out of elements":      `reduce(body.n, #acc + string(body.records), "")`,
		"time zones":                `all(body.n, all(body.n, len(formatTime("2026-01-01", "2006", # > 0 ? "UTC" : "GMT")) > 0))`,
	} {
		t.Run(name, func(t *testing.T) {
			e, err := Compile(Source{Text: text}, scope)
			if err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			started := time.Now()
			_, err = e.Eval(in)
			took := time.Since(started)
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Fatal("it passed")
			}
			// The last one only where other processes leave this one no time.
			if !strings.Contains(err.Error(), "million steps") && !strings.Contains(err.Error(), "MiB of memory") &&
				!strings.Contains(err.Error(), "nests deeper") && !strings.Contains(err.Error(), "takes longer") {
				t.Errorf("it failed for another reason: %v", err)
			}
			if limit := 2 * maxTime; took > limit {
				t.Errorf("it took %s", took)
			}
			const most = 3 * maxBytes
			if n := after.TotalAlloc - before.TotalAlloc; n > most {
				t.Errorf("it allocated %d MiB", n>>20)
			}
			t.Logf("%s, %d MiB: %v", took.Round(time.Millisecond), (after.TotalAlloc-before.TotalAlloc)>>20, err)
		})
	}
}

// TestWithinBudget holds the budget to what honest expressions over a large
// event need.
func TestWithinBudget(t *testing.T) {
	in := hostileInput()
	for _, text := range []string{
		`map(body.records, {{id: .id, name: upper(.name), tags: join(.tags, ',')}})`,
		`len(toJSON(body))`,
		`len(fromJSON(toJSON(body.records)))`,
		`groupBy(body.records, .id % 10)`,
		`sum(map(body.records, .id))`,
		`sortBy(body.records, -.id)`,
		`len(uniq(map(body.records, .id % 100)))`,
		`any(body.n, any(body.n, # < 0))`,
		`map(body.n, reduce(body.n, #acc + #))`,
		`body.s matches '^a+$'`,
		`len(parseXML(body.xml))`,
		`sha256(body.s)`,
	} {
		e, err := Compile(Source{Text: text}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Eval(in); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}
