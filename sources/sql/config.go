package sql

import (
	"fmt"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/schedule"
)

// Config is a source "sql" block.
type Config struct {
	Connection component.Ref `hcl:"connection,required,identity" ref:"connection.sql" doc:"The database to read." example:"connection.sql.shop"`
	schedule.Config
	Table       string         `hcl:"table,identity" doc:"The table or view whose rows are read." example:"\"sales.orders\""`
	Query       string         `hcl:"query" doc:"What is read, where a table as a whole is not it: a SELECT without ORDER BY and LIMIT." example:"\"SELECT o.*, c.email FROM orders o JOIN customers c ON c.id = o.customer_id\""`
	Cursor      *Cursor        `hcl:"cursor,block" doc:"Reads only what is new, by a column that grows. Without it, each run reads all rows."`
	OnlyChanged bool           `hcl:"only_changed" doc:"Without cursor: a row whose id is known passes if it is not the same as last time, and only then. Needs id."`
	Timeout     time.Duration  `hcl:"timeout" min:"1s" doc:"How long the database may be silent while it owes rows."`
	Retry       schedule.Retry `hcl:"retry,block" doc:"How a run that failed is tried again, from where it was: with growing pauses, at its next time at the latest."`
}

// Cursor is the high-water mark.
type Cursor struct {
	Column  string        `hcl:"column,required,identity" doc:"The column: of a row that is new or has changed, it is not smaller than those of the rows before. It should have an index." example:"\"updated_at\""`
	Initial any           `hcl:"initial" doc:"The least value that the first run reads; left out: all." example:"\"2026-01-01\""`
	Overlap time.Duration `hcl:"overlap" doc:"How far before the last value each run reads again, so that rows are found that a long transaction has made visible late. For columns of times; needs id." example:"\"5m\""`
}

func newConfig() *Config {
	c := &Config{Timeout: 30 * time.Second}
	c.Retry.SetDefaults()
	return c
}

// Validate checks what the tags cannot say.
func (c *Config) Validate(p *component.Problems) {
	c.Config.Check(p, true)
	c.Retry.Check(p)
	switch {
	case c.Table == "" && c.Query == "":
		p.Error("", "what is read?", `Name a table, table = "orders", or write a query.`)
	case c.Table != "" && c.Query != "":
		p.Error("query", "both table and query", "Take one out: a query names its tables itself.")
	}
	if c.Cursor == nil {
		return
	}
	if c.OnlyChanged {
		p.Error("only_changed", "only_changed beside a cursor", "With a cursor, rows come when the column says so. Take one of the two out.")
	}
	switch c.Cursor.Initial.(type) {
	case nil, string, int64, float64:
	default:
		p.Error("cursor.initial", "not a cursor", "Write a text or a number.")
	}
}

// CheckCommon checks the kind's own attributes beside those of all sources.
func (c *Config) CheckCommon(common *component.SourceCommon, p *component.Problems) {
	switch {
	case common.ID.IsSet():
		if c.Cursor == nil && c.Every > common.DedupeWindow {
			p.Error("dedupe_window", "rows are forgotten between two runs", fmt.Sprintf("It must be longer than every, %s, or each run brings all rows again.", c.Every))
		}
	case c.OnlyChanged:
		p.Error("only_changed", "only_changed without id", `Which row is it that has changed? Say what names one: id = "record.id".`)
	case c.Cursor == nil:
		p.Warn("", "each run brings every row", `Read what is new by a cursor block, or what has changed by id = "record.id" and only_changed = true.`)
	case c.Cursor.Overlap > 0:
		p.Error("cursor.overlap", "overlap without id", `What is read again would come again. Say what names a row: id = "record.id".`)
	}
}
