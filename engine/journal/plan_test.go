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
	for query, args := range map[string][]any{
		exceptionFind: {1, 1, ""},
		"SELECT EXISTS (SELECT 1 FROM exceptions WHERE " + ofTrack + " AND position = ?)": {1, 1},
		"DELETE FROM exceptions WHERE " + ofTrack:                                         {1},
	} {
		var plan []string
		err := c.query("EXPLAIN QUERY PLAN "+query, args, func(r []driver.Value) error {
			plan = append(plan, r[3].(string))
			return nil
		})
		if err != nil || !strings.Contains(strings.Join(plan, "\n"), "exceptions_key (track=?") {
			t.Errorf("%s: %q, %v", query, plan, err)
		}
	}
}
