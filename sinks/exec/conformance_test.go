package exec

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/sinks/sinktest"
)

func TestConformance(t *testing.T) {
	sinktest.Run(t, func(t *testing.T) sinktest.Subject {
		file := filepath.Join(t.TempDir(), "stored")
		away := file + ".away"
		return sinktest.Subject{
			Bad: map[string]any{"n": "-no number"},
			Open: func(t *testing.T, env component.Env) component.Sink {
				cfg := shell(t, `test -e "$2.away" && exit 75; echo "$1" >>"$2"`)
				cfg.Command = append(cfg.Command, template(t, "{{ body.n }}", expr.Argument), template(t, file, expr.Argument))
				s, err := Kind.Open(env, cfg)
				if err != nil {
					t.Fatal(err)
				}
				return s.(component.Sink)
			},
			Stored: func(t *testing.T) []int { return sinktest.Numbers(t, file) },
			Away: func(t *testing.T) func() {
				if err := os.WriteFile(away, nil, 0o600); err != nil {
					t.Fatal(err)
				}
				return func() { os.Remove(away) }
			},
		}
	})
}
