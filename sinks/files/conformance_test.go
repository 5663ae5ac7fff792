package files

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/records"
	"github.com/syncd/syncd/sinks/sinktest"
)

func TestConformance(t *testing.T) {
	sinktest.Run(t, func(t *testing.T) sinktest.Subject {
		dir := filepath.Join(t.TempDir(), "out")
		path := filepath.Join(dir, "all.csv")
		return sinktest.Subject{
			Once: true,
			Bad:  "no object",
			Open: func(t *testing.T, env component.Env) component.Sink {
				cfg := &Config{Path: template(t, path), OnShrunk: "error"}
				cfg.Format.CSV = &records.CSV{Delimiter: ",", Table: records.Table{Columns: []string{"n"}, Quote: `"`}}
				s, err := Kind.Open(env, cfg)
				if err != nil {
					t.Fatal(err)
				}
				return s.(component.Sink)
			},
			Stored: func(t *testing.T) []int { return sinktest.Numbers(t, path) },
			Away: func(t *testing.T) func() {
				away := dir + ".away"
				move(t, dir, away)
				if err := os.WriteFile(dir, nil, 0o600); err != nil { // in the way
					t.Fatal(err)
				}
				return func() {
					if err := os.Remove(dir); err != nil {
						t.Fatal(err)
					}
					move(t, away, dir)
				}
			},
		}
	})
}

func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}
