package expr

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func tableScope() *Scope {
	return &Scope{
		Names: []string{"body"}, Var: map[string]any{"name": "countries"},
		Tables: map[string]*Table{
			"countries": NewTable(map[string]map[string]any{
				"CL": {"code": "CL", "name": "Chile"}, "PE": {"code": "PE", "name": "Perú", "vat": int64(18)},
				"7": {"code": int64(7)}, "2.5": {"name": "half"}, "": {"name": "empty"}, "18446744073709551616": {"name": "big"},
			}),
			"unread": nil,
		},
	}
}

func TestTable(t *testing.T) {
	sc := tableScope()
	for text, want := range map[string]any{
		"table('countries', 'CL')":                   map[string]any{"code": "CL", "name": "Chile"},
		`table("countries", upper('pe')).name`:       "Perú",
		"table('countries', body.nothing)":           nil,
		"table('countries', body.nothing).name":      nil,
		"table('countries', 'XX')?.name ?? 'nobody'": "nobody",
		"table('countries', 7).code":                 int64(7),
		"table('countries', 7.0).code":               int64(7),
		"table('countries', 2.5).name":               "half",
		"table('countries', body.big).name":          "big",
		"table('countries', '').name":                "empty",
		"table('countries', 'CL')['name']":           "Chile",
		"table('unread', 'CL').whatever":             nil,
		"lower(table('countries', 'XX').name)":       "<table('countries', 'XX').name> table('countries', 'XX').name is nil",
		"table('countries', body.items)":             "<body.items> table needs a number or text, but body.items is a list",
		"table('countries', true)":                   "<true> table needs a number or text, but true is true or false",
		"table('countries', 'CL').nam":               `<nam> there is no column nam in this table: did you mean "name"?`,
		"table('countries', body.cc)?.nam":           `<nam> there is no column nam in this table: did you mean "name"?`,
		"table('countries', 'CL').population":        "<population> there is no column population in this table: its columns are code, name, vat",
		"table('contries', 'CL')":                    `<'contries'> there is no table 'contries': did you mean "countries"?`,
		"table('zebra', 'CL')":                       "<'zebra'> there is no table 'zebra': declared are countries, unread",
		"table(var.name, 'CL')":                      "<var.name> the name of a table must be written out in quotes, so that it can be checked: write table('NAME', …), or choose between two calls: a ? table('X', …) : table('Y', …)",
		"table('countries')":                         "<table('countries')> table takes 2 arguments, not 1: write table(name, key)",
		"table.countries":                            `<table> "table" is not something an expression can see here: body, local, secret, var: to call the function, write table(…)`,
	} {
		if d := cmp.Diff(want, compiled(t, text, sc)); d != "" {
			t.Errorf("%s (-want +got):\n%s", text, d)
		}
	}
	want := `<'x'> there is no table 'x': declare one: table "x" { file = "x.csv" … }`
	if got := compiled(t, "table('x', 1)", nil); got != want {
		t.Errorf("without tables: %v", got)
	}
}

// Rows are shared: what an expression builds of them is its own.
func TestTableKeepsItsRows(t *testing.T) {
	sc := tableScope()
	before, _ := json.Marshal(sc.Tables["countries"].rows)
	for _, text := range []string{
		"sort(keys(table('countries', 'PE')))", "reverse(values(table('countries', 'PE')))",
		"fromPairs(toPairs(table('countries', 'PE')))", "{a: table('countries', 'PE')}", "map([1, 2], table('countries', 'PE'))",
	} {
		compiled(t, text, sc)
	}
	if after, _ := json.Marshal(sc.Tables["countries"].rows); string(after) != string(before) {
		t.Errorf("rows are now %s", after)
	}
}
