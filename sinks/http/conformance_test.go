package http

import (
	"encoding/json"
	"io"
	"math"
	nethttp "net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/http"
	"github.com/syncd/syncd/sinks/sinktest"
)

func TestConformance(t *testing.T)        { conformance(t, newConfig()) }
func TestConformanceBatches(t *testing.T) { conformance(t, batched(nil)) }

func conformance(t *testing.T, cfg *Config) {
	sinktest.Run(t, func(t *testing.T) sinktest.Subject {
		var mu sync.Mutex
		var stored []int
		away := false
		srv := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
			text, _ := io.ReadAll(r.Body)
			type one struct{ N int }
			bodies := make([]one, 1)
			into := any(&bodies[0])
			if cfg.Batch != nil {
				into = &bodies
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case away:
				w.WriteHeader(nethttp.StatusServiceUnavailable)
			case json.Unmarshal(text, into) != nil:
				w.WriteHeader(nethttp.StatusBadRequest)
			default:
				for _, b := range bodies {
					stored = append(stored, b.N)
				}
			}
		}))
		t.Cleanup(srv.Close)
		set := func(to bool) {
			mu.Lock()
			defer mu.Unlock()
			away = to
		}
		return sinktest.Subject{
			Bad: map[string]any{"n": math.NaN()},
			Open: func(t *testing.T, env component.Env) component.Sink {
				client, err := conn.Kind.Open(env, &conn.Config{BaseURL: srv.URL})
				if err != nil {
					t.Fatal(err)
				}
				env.Connection = func(component.Ref) (any, error) { return client, nil }
				s, err := Kind.Open(env, cfg)
				if err != nil {
					t.Fatal(err)
				}
				return closing{s.(*sink), client.(*conn.Client)}
			},
			Stored: func(*testing.T) []int {
				mu.Lock()
				defer mu.Unlock()
				return append([]int(nil), stored...)
			},
			Away: func(*testing.T) func() {
				set(true)
				return func() { set(false) }
			},
		}
	})
}

// closing ends the connection with the sink.
type closing struct {
	*sink
	client *conn.Client
}

func (c closing) Close() error { return c.client.Close() }
