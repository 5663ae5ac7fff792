package log

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"math"
	"testing"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/sinks/sinktest"
)

func TestConformance(t *testing.T) {
	sinktest.Run(t, func(t *testing.T) sinktest.Subject {
		var out bytes.Buffer
		return sinktest.Subject{
			Bad: map[string]any{"n": math.NaN()},
			Open: func(t *testing.T, env component.Env) component.Sink {
				env.Log = slog.New(slog.NewJSONHandler(&out, nil))
				s, err := Kind.Open(env, Kind.NewConfig())
				if err != nil {
					t.Fatal(err)
				}
				return s.(component.Sink)
			},
			Stored: func(t *testing.T) (all []int) {
				for line := range bytes.Lines(out.Bytes()) {
					var entry struct{ Body string }
					var body struct{ N int }
					if err := json.Unmarshal(line, &entry); err != nil {
						t.Fatal(err)
					}
					if err := json.Unmarshal([]byte(entry.Body), &body); err != nil {
						t.Fatal(err)
					}
					all = append(all, body.N)
				}
				return all
			},
		}
	})
}
