package expr

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Table is lookup data: rows by the text of their key. Rows are shared by all
// events, and read-only like every value.
type Table struct {
	rows    map[string]map[string]any
	columns map[string]bool // all that any row has
	sum     uint64          // digest of the rows
}

// NewTable makes a table of rows of Input's kinds of values, by their keys.
func NewTable(rows map[string]map[string]any) *Table {
	t := &Table{rows: rows, columns: map[string]bool{}}
	for _, row := range rows {
		for column := range row {
			t.columns[column] = true
		}
	}
	t.sum = t.digest()
	return t
}

var tableFunctions = map[string]*function{
	"table": {
		args: []kind{kText, kData}, min: 2, result: kObject | kNil, grows: true, quick: true,
		prepare: prepareTable, run: lookUp,
	},
}

// prepareTable finds the table that a call names.
func prepareTable(c *compiler, n *callNode, args []value) {
	if args[1].kind&(kBig|kNil) == 0 {
		c.needs(args[1], kText|kNumber, n.name)
	}
	given, _ := literalOf(args[0])
	name, ok := given.(string)
	if at := args[0].at; !ok || !strings.ContainsRune("'\"`", rune(c.src.Text[at.from])) {
		c.errorAt(at, "write table('NAME', …), or choose between two calls: a ? table('X', …) : table('Y', …)",
			"the name of a table must be written out in quotes, so that it can be checked")
		return
	}
	var declared map[string]*Table
	if c.scope != nil {
		declared = c.scope.Tables
	}
	t, ok := declared[name]
	if ok {
		c.scope.note("table." + name)
		if n.table = t; t != nil {
			c.given(int64(t.sum))
		}
		return
	}
	names := slices.Sorted(maps.Keys(declared))
	hint := didYouMean(name, names)
	if hint == "" && len(names) > 0 {
		hint = "declared are " + strings.Join(names, ", ")
	}
	if hint == "" && tableName.MatchString(name) {
		hint = `declare one: table "` + name + `" { file = "` + name + `.csv" … }`
	}
	c.errorAt(args[0].at, hint, "there is no table %s", quoteText(name))
}

// tableName is what a table can be called.
var tableName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// lookUp gives the row of a key; a number is looked up by its text.
func lookUp(m *machine, n *callNode, a []any) any {
	if a[1] == nil || n.table == nil {
		return nil
	}
	if kindOf(a[1])&(kText|kNumber|kBig) == 0 {
		m.wrong(n.ats[1], n.at, a[1], kText|kNumber, true, n.name)
	}
	key, _ := plainText(a[1])
	if row, ok := n.table.rows[key]; ok {
		return row
	}
	return nil
}

// checkColumn reports a field of a row that no row of its table has.
func (c *compiler) checkColumn(base value, column string, at span) {
	call, ok := base.node.(*callNode)
	if !ok || call.table == nil || call.table.columns[column] {
		return
	}
	names := slices.Sorted(maps.Keys(call.table.columns))
	hint := didYouMean(column, names)
	if hint == "" && len(names) > 0 && len(names) <= 20 {
		hint = "its columns are " + strings.Join(names, ", ")
	}
	c.errorAt(at, hint, "there is no column %s in this table", column)
}
