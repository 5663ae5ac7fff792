package sql

import (
	"strconv"
	"testing"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/sql"
	"github.com/syncd/syncd/engine/connect/sql/sqltest"
	"github.com/syncd/syncd/sinks/sinktest"
)

func TestConformance(t *testing.T) {
	for _, d := range sqltest.Dialects {
		t.Run(string(d), func(t *testing.T) {
			sinktest.Run(t, func(t *testing.T) sinktest.Subject {
				database := sqltest.New(t, d)
				db := sqltest.Open(t, database)
				sqltest.Exec(t, db, "CREATE TABLE log (seq "+map[conn.Dialect]string{
					conn.Postgres: "bigserial", conn.MySQL: "bigint AUTO_INCREMENT PRIMARY KEY", conn.SQLite: "integer PRIMARY KEY",
				}[d]+", n bigint NOT NULL)")
				return sinktest.Subject{
					Once: true,
					Bad:  obj{"n": "no number", "seq": "x"},
					Open: func(t *testing.T, env component.Env) component.Sink {
						env.Connection = func(component.Ref) (any, error) { return db, nil }
						s, err := Kind.Open(env, &Config{Table: "log"})
						if err != nil {
							t.Fatal(err)
						}
						return s.(component.Sink)
					},
					Stored: func(t *testing.T) (all []int) {
						for _, row := range sqltest.Rows(t, db, "SELECT n FROM log ORDER BY seq") {
							n, _ := strconv.Atoi(row)
							all = append(all, n)
						}
						return all
					},
					Away: func(t *testing.T) func() {
						sqltest.Exec(t, db, "ALTER TABLE log RENAME TO away")
						return func() { sqltest.Exec(t, db, "ALTER TABLE away RENAME TO log") }
					},
				}
			})
		})
	}
}
