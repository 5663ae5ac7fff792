package sql

import (
	"maps"
	"slices"
	"strings"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

// Config is a sink "sql" block.
type Config struct {
	Connection  component.Ref        `hcl:"connection,required" ref:"connection.sql" doc:"The database." example:"connection.sql.dwh"`
	Table       string               `hcl:"table" doc:"The table, with its schema if need be." example:"\"sales.orders\""`
	Key         []string             `hcl:"key" doc:"The columns that say which row it is, for upsert, update and delete." example:"[\"order_id\"]"`
	Mode        string               `hcl:"mode" enum:"insert|upsert|update|delete" doc:"What an event does to the table; default: upsert with a key, insert without one."`
	ModeBy      expr.Expr            `hcl:"mode_by" yields:"text" doc:"The mode of each event, instead of mode." example:"\"body.deleted ? 'delete' : 'upsert'\""`
	Columns     map[string]expr.Expr `hcl:"columns" doc:"What goes into which column; default: each field of the body into the column of its name." example:"{ order_id = \"body.id\", total = \"body.total\" }"`
	CreateTable bool                 `hcl:"create_table" doc:"Makes the table if it is not there, with columns as the first events have them."`
	Statement   string               `hcl:"statement" doc:"A statement of your own, run for each event instead of table and what belongs to it; :name stands for a parameter." example:"\"call take_order(:id, :total)\""`
	Params      map[string]expr.Expr `hcl:"params" doc:"The parameters of statement." example:"{ id = \"body.id\", total = \"body.total\" }"`
}

func newConfig() *Config { return &Config{} }

// The modes.
const (
	insert = "insert"
	upsert = "upsert"
	update = "update"
	remove = "delete"
)

var modes = []string{insert, upsert, update, remove}

// mode of events when mode_by does not say.
func (c *Config) mode() string {
	switch {
	case c.Mode != "":
		return c.Mode
	case len(c.Key) > 0:
		return upsert
	}
	return insert
}

// Validate checks what the tags cannot say.
func (c *Config) Validate(p *component.Problems) {
	if c.Statement != "" {
		c.validateStatement(p)
		return
	}
	switch {
	case c.Table == "":
		p.Error("", "which table?", `Give table = "orders", or a statement with its params.`)
	case strings.Count(c.Table, ".") > 1 || slices.Contains(strings.Split(c.Table, "."), ""):
		p.Error("table", "not a table's name", `Write "orders", or "sales.orders" with its schema.`)
	}
	if len(c.Params) > 0 {
		p.Error("params", "params of what?", "They belong to a statement; with a table, write columns.")
	}
	if c.Mode != "" && c.ModeBy.IsSet() {
		p.Error("mode_by", "mode and mode_by", "Give one of them.")
	}
	if len(c.Key) == 0 && (c.mode() != insert || c.ModeBy.IsSet()) {
		p.Error("", "key is missing", `Say which columns tell one row from another: key = ["order_id"].`)
	}
	for _, name := range c.Key {
		if _, ok := c.Columns[name]; len(c.Columns) > 0 && !ok {
			p.Error("columns", "the key has no value", `columns has no `+name+`, which key names.`)
		}
	}
}

func (c *Config) validateStatement(p *component.Problems) {
	for name, given := range map[string]bool{"table": c.Table != "", "key": len(c.Key) > 0, "mode": c.Mode != "",
		"mode_by": c.ModeBy.IsSet(), "columns": len(c.Columns) > 0, "create_table": c.CreateTable} {
		if given {
			p.Error(name, "statement stands alone", "A statement says by itself what it does: leave "+name+" out, or the statement.")
		}
	}
	_, used := parameters(c.Statement, func(int) string { return "" })
	for _, name := range used {
		if _, ok := c.Params[name]; !ok {
			p.Error("statement", "no such parameter", "params has no "+name+", which the statement names.")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Params)) {
		if !slices.Contains(used, name) {
			p.Error("params", "parameter not used", "The statement has no :"+name+".")
		}
	}
}
