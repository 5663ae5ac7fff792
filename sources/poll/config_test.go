package poll

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/schedule"
)

func TestValidate(t *testing.T) {
	token := func(tok Token) *Paginate { tok.Next = x("response.body.next"); return &Paginate{Token: &tok} }
	cursor := func(c Cursor) *Cursor {
		if !c.Next.IsSet() {
			c.Next = x("record.at")
		}
		if c.From == "" {
			c.From = "record"
		}
		return &c
	}
	tests := []struct {
		name      string
		configure func(*Config)
		id        bool
		want      []string // attribute and summary
	}{
		{"fine", func(*Config) {}, false, nil},
		{"no schedule", func(c *Config) { c.Every = 0 }, false, []string{": no schedule"}},
		{"URL as path", func(c *Config) { c.Request.Path = tmpl("https://a.example/b", expr.Path) }, false, []string{"request.path: a URL where a path belongs"}},
		{"escape", func(c *Config) { c.Request.Path = tmpl("/100%", expr.Path) }, false, []string{"request.path: not the path of a URL"}},
		{"header", func(c *Config) {
			c.Request.Headers = map[string]expr.Template{"Content-Length": tmpl("1", expr.Header)}
		}, false, []string{"request.headers: header not allowed"}},
		{"token nowhere", func(c *Config) { c.Paginate = token(Token{}) }, false, []string{"paginate.token: query, header or field"}},
		{"token twice", func(c *Config) { c.Paginate = token(Token{Query: "a", Header: "B"}) }, false, []string{"paginate.token: query, header or field"}},
		{"token in no body", func(c *Config) { c.Paginate = token(Token{Field: "a"}) }, false, []string{"paginate.token.field: a field of no body"}},
		{"cursor without id", func(c *Config) { c.Cursor = cursor(Cursor{}) }, false, []string{"cursor: a cursor without id"}},
		{"cursor with id", func(c *Config) { c.Cursor = cursor(Cursor{Overlap: time.Minute}) }, true, nil},
		{"overlap without id", func(c *Config) { c.Cursor = cursor(Cursor{Overlap: time.Minute}) }, false, []string{"cursor.overlap: overlap without id"}},
		{"only_changed without id", func(c *Config) { c.OnlyChanged = true }, false, []string{"only_changed: only_changed without id"}},
		{"no record in next", func(c *Config) { c.Cursor = cursor(Cursor{Next: x("response.body.at")}) }, true, []string{"cursor.next: no record in next"}},
		{"record of a response", func(c *Config) { c.Cursor = cursor(Cursor{From: "response"}) }, true, []string{"cursor.next: record where an answer is looked at"}},
		{"link in a record", func(c *Config) { c.Cursor = cursor(Cursor{As: "url"}) }, true, []string{"cursor.as: a link in a record"}},
		{"initial", func(c *Config) { c.Cursor = cursor(Cursor{Initial: true}) }, true, []string{"cursor.initial: not a cursor"}},
		{"a week and a day", func(c *Config) { c.Every = 7 * 24 * time.Hour }, true, []string{"every: ids are forgotten from run to run"}},
		{"a weekend and a day", func(c *Config) { c.Every, c.Cron = 0, "0 6 * * mon-fri" }, true, []string{"cron: ids are forgotten from run to run"}},
		{"a day and a day", func(c *Config) { c.Every, c.Cron, c.Timezone = 0, "0 6 * * *", "Europe/Berlin" }, true, nil},
		{"a week without id", func(c *Config) { c.Every = 7 * 24 * time.Hour }, false, nil},
		{"retry", func(c *Config) { c.Retry = schedule.Retry{Initial: time.Hour, Max: time.Minute} }, true, []string{"retry.max: max is shorter than initial"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newConfig()
			c.Every = time.Minute
			test.configure(c)
			common := &component.SourceCommon{DedupeWindow: 24 * time.Hour}
			if test.id {
				common.ID = x("record.id")
			}
			var p component.Problems
			c.Validate(&p)
			c.CheckCommon(common, &p)
			var got []string
			for _, problem := range p.List {
				got = append(got, problem.Attr+": "+problem.Summary)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
