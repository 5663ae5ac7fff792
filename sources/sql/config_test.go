package sql

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

func TestValidate(t *testing.T) {
	id := component.SourceCommon{ID: expr.Constant("x"), DedupeWindow: 24 * time.Hour}
	for _, c := range []struct {
		name   string
		change func(*Config)
		common component.SourceCommon
		want   []string
	}{
		{"table and cursor", func(c *Config) { c.Cursor = &Cursor{Column: "n"} }, component.SourceCommon{}, nil},
		{"only_changed", func(c *Config) { c.OnlyChanged = true }, id, nil},
		{"nothing to read", func(c *Config) { c.Table = ""; c.Cursor = &Cursor{} }, id, []string{": what is read?"}},
		{"both", func(c *Config) { c.Query = "SELECT 1" }, id, []string{"query: both table and query"}},
		{"only_changed beside a cursor", func(c *Config) { c.Cursor = &Cursor{}; c.OnlyChanged = true }, id, []string{"only_changed: only_changed beside a cursor"}},
		{"initial", func(c *Config) { c.Cursor = &Cursor{Initial: true} }, id, []string{"cursor.initial: not a cursor"}},
		{"only_changed without id", func(c *Config) { c.OnlyChanged = true }, component.SourceCommon{}, []string{"only_changed: only_changed without id"}},
		{"overlap without id", func(c *Config) { c.Cursor = &Cursor{Overlap: time.Minute} }, component.SourceCommon{}, []string{"cursor.overlap: overlap without id"}},
		{"all rows each time", func(*Config) {}, component.SourceCommon{}, []string{": each run brings every row"}},
		{"forgotten between", func(c *Config) { c.Every = 48 * time.Hour }, id, []string{"dedupe_window: rows are forgotten between two runs"}},
		{"no schedule", func(c *Config) { c.Every = 0 }, id, []string{": no schedule"}},
		{"retry", func(c *Config) { c.Retry.Max = time.Millisecond }, id, []string{"retry.max: max is shorter than initial"}},
	} {
		cfg := newConfig()
		cfg.Table, cfg.Every = "t", time.Hour
		c.change(cfg)
		var p component.Problems
		cfg.Validate(&p)
		cfg.CheckCommon(&c.common, &p)
		var got []string
		for _, one := range p.List {
			got = append(got, one.Attr+": "+one.Summary)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}
