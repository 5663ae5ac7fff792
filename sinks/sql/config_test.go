package sql

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/sql"
)

func TestValidate(t *testing.T) {
	id := exprs(t, "id", "body.id")
	for _, tc := range []struct {
		cfg  Config
		want string
	}{
		{Config{Table: "orders"}, ""},
		{Config{Table: "sales.orders", Key: []string{"id"}, Columns: id}, ""},
		{Config{}, "which table?"},
		{Config{Table: "a.b.c"}, "not a table's name"},
		{Config{Table: "t", Mode: upsert}, "key is missing"},
		{Config{Table: "t", ModeBy: code(t, "body.mode")}, "key is missing"},
		{Config{Table: "t", Key: []string{"id"}, Mode: update, ModeBy: code(t, "body.mode")}, "mode and mode_by"},
		{Config{Table: "t", Key: []string{"nr"}, Columns: id}, "the key has no value"},
		{Config{Table: "t", Params: id}, "params of what?"},
		{Config{Statement: "DELETE FROM t WHERE id = :id", Params: id}, ""},
		{Config{Statement: "DELETE FROM t WHERE id = :nr", Params: exprs(t, "nr", "body.id", "id", "body.id")}, "parameter not used"},
		{Config{Statement: "DELETE FROM t WHERE id = :nr"}, "no such parameter"},
		{Config{Statement: "DELETE FROM t", Table: "t", CreateTable: true}, "statement stands alone, statement stands alone"},
	} {
		var p component.Problems
		tc.cfg.Validate(&p)
		var got []string
		for _, problem := range p.List {
			got = append(got, problem.Summary)
		}
		if strings.Join(got, ", ") != tc.want {
			t.Errorf("%+v: got %q", tc.cfg, got)
		}
	}
}

func TestCompile(t *testing.T) {
	const text = `SELECT :a, ':a', ":b", ` + "`:c`" + `, x::int, :b2, :a /* :d */, 12:30 -- :e
 , :a`
	got := []compiled{compile(conn.Postgres, text), compile(conn.MySQL, text)}
	want := []compiled{
		{strings.NewReplacer("SELECT :a,", "SELECT $1,", ":b2, :a", "$2, $1", " , :a", " , $1").Replace(text), []string{"a", "b2"}},
		{strings.NewReplacer("SELECT :a,", "SELECT ?,", ":b2, :a", "?, ?", " , :a", " , ?").Replace(text), []string{"a", "b2", "a", "a"}},
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(compiled{})); d != "" {
		t.Error(d)
	}
}

func FuzzParameters(f *testing.F) {
	f.Add("INSERT INTO t VALUES (:a, ':b', x::c) -- :d")
	f.Fuzz(func(t *testing.T, statement string) {
		text, names := parameters(statement, func(int) string { return "" })
		again, _ := parameters(statement, func(n int) string { return ":" + names[n] })
		if again != statement || len(text) > len(statement) {
			t.Errorf("%q became %q", statement, again)
		}
	})
}
