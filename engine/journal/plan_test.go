package journal

import (
	"database/sql/driver"
	"path/filepath"
	"strings"
	"testing"
)

// Thousands of exceptions make none of them slower: SQLite goes to those of a track by
// an index, and looks at no others.
func TestExceptionsAreFoundByIndex(t *testing.T) {
	c, err := dial(filepath.Join(t.TempDir(), "a.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if err := prepare(c); err != nil {
		t.Fatal(err)
	}
	ofLane, args := (&ExceptionQuery{Lane: &Lane{"f", "s"}, Key: &Key{Source: "s"}}).sql()
	for _, q := range []struct {
		query, index string
		args         []any
	}{
		{exceptionFind, "exceptions_key (track=?", []any{1, 1, ""}},
		{"SELECT EXISTS (SELECT 1 FROM exceptions WHERE " + ofTrack + " AND position = ?)", "exceptions_key (track=?", []any{1, 1}},
		{"DELETE FROM exceptions WHERE " + ofTrack, "exceptions_key (track=?", []any{1}},
		{ofLane, "exceptions_event (source=? AND position=? AND path=?", args},
	} {
		var plan []string
		err := c.query("EXPLAIN QUERY PLAN "+q.query, q.args, func(r []driver.Value) error {
			plan = append(plan, r[3].(string))
			return nil
		})
		if err != nil || !strings.Contains(strings.Join(plan, "\n"), q.index) {
			t.Errorf("%s: %q, %v", q.query, plan, err)
		}
	}
}
