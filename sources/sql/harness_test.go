package sql

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/sql"
	"github.com/syncd/syncd/engine/connect/sql/sqltest"
	"github.com/syncd/syncd/engine/schedule"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// intake is what the source lives in: it keeps what is accepted, with id the first
// column if dedupes.
type intake struct {
	component.Intake
	t       *testing.T
	db      *conn.DB
	cfg     *Config
	bodies  []string
	state   map[string]json.RawMessage
	dedupes bool
	seen    map[string]string // content by id
	refuse  int               // so many batches are taken, then none; 0: all are
	news    chan struct{}
	batches int
	atBatch func(n int) // is told of each; nil: nobody is
}

func newIntake(t *testing.T, database *conn.Config, cfg *Config) *intake {
	cfg.Timeout = 30 * time.Second
	if !cfg.IsSet() {
		cfg.Every = time.Hour
	}
	return &intake{t: t, db: sqltest.Open(t, database), cfg: cfg, state: map[string]json.RawMessage{}, seen: map[string]string{}, news: make(chan struct{}, 1000)}
}

func (in *intake) Get(_ context.Context, key string, v any) (bool, error) {
	raw, ok := in.state[key]
	if !ok {
		return false, nil
	}
	return true, json.Unmarshal(raw, v)
}

func (in *intake) Accept(_ context.Context, b component.Batch) ([]component.Accepted, error) {
	if in.batches++; in.atBatch != nil {
		in.atBatch(in.batches)
	}
	if in.refuse == 1 {
		return nil, &component.LaterError{Reason: "a test", After: time.Millisecond}
	}
	in.refuse = max(0, in.refuse-1)
	for _, d := range b.Drafts {
		body := d.Body
		if d.Names != nil {
			m := map[string]any{}
			for i, name := range d.Names {
				m[name] = d.Values[i]
			}
			body = m
		}
		id := fmt.Sprint(body.(map[string]any)["id"])
		if old, known := in.seen[id]; in.dedupes && known && old == d.Content {
			continue
		}
		in.seen[id] = d.Content
		raw, err := json.Marshal(body)
		if err != nil {
			in.t.Error(err)
		}
		in.bodies = append(in.bodies, string(raw))
		select {
		case in.news <- struct{}{}:
		default: // nobody counts that many
		}
	}
	for _, p := range b.State {
		raw, err := json.Marshal(p.Value)
		if err != nil {
			in.t.Error(err)
		}
		if in.state[p.Key] = raw; p.Value == nil {
			delete(in.state, p.Key)
		}
	}
	return nil, nil
}

func (in *intake) open() *source {
	in.t.Helper()
	s, err := Kind().Open(component.Env{
		Address: "source.sql.test", Log: slog.New(slog.DiscardHandler), Now: time.Now,
		Connection: func(component.Ref) (any, error) { return in.db, nil },
	}, in.cfg)
	if err != nil {
		in.t.Fatal(err)
	}
	return s.(*source)
}

// run is one run of a fresh process; what it brought.
func (in *intake) run() ([]string, error) {
	in.t.Helper()
	in.bodies = nil
	s := in.open()
	r, err := s.load(in.t.Context(), in, schedule.Due{})
	for more := true; more && err == nil; {
		more, err = r.page(in.t.Context())
	}
	for range len(in.news) {
		<-in.news
	}
	return in.bodies, err
}

// brings is a run that must succeed, as the ids that it brought.
func (in *intake) brings() string {
	in.t.Helper()
	bodies, err := in.run()
	if err != nil {
		in.t.Fatal(err)
	}
	return ids(in.t, bodies)
}

func ids(t *testing.T, bodies []string) string {
	t.Helper()
	var all []string
	for _, b := range bodies {
		var row struct{ ID json.Number }
		if err := json.Unmarshal([]byte(b), &row); err != nil {
			t.Fatal(err)
		}
		all = append(all, row.ID.String())
	}
	return strings.Join(all, " ")
}
