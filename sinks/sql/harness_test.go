package sql

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/sql"
	"github.com/syncd/syncd/engine/connect/sql/sqltest"
	"github.com/syncd/syncd/engine/expr"
)

// A COPY that was cancelled in its middle is let go of by PostgreSQL late, or by the driver
// after 15 seconds.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/jackc/pgx/v5/pgconn.(*PgConn).asyncClose.func1"))
}

// engine is what a sink lives in: it keeps the state that settlements commit.
type engine struct {
	t     testing.TB
	db    *conn.DB
	cfg   *Config
	state map[string]json.RawMessage
	sink  *sink
}

func newEngine(t testing.TB, database *conn.Config, cfg *Config) *engine {
	t.Helper()
	e := &engine{t: t, db: sqltest.Open(t, database), cfg: cfg, state: map[string]json.RawMessage{}}
	e.start()
	return e
}

// start is a fresh process on what is on disk.
func (e *engine) start() {
	e.t.Helper()
	made, err := Kind.Open(component.Env{
		Address: "sink.sql.test", Log: slog.New(slog.DiscardHandler), Now: time.Now, State: e,
		Connection: func(component.Ref) (any, error) { return e.db, nil },
	}, e.cfg)
	if err != nil {
		e.t.Fatal(err)
	}
	e.sink = made.(*sink)
}

func (e *engine) Get(_ context.Context, key string, v any) (bool, error) {
	raw, ok := e.state[key]
	if !ok {
		return false, nil
	}
	return true, json.Unmarshal(raw, v)
}

// settle commits a call's result, behind which no other call has begun.
func (e *engine) settle(r component.Result) {
	e.t.Helper()
	e.commit(r)
	e.sink.Settled()
}

func (e *engine) commit(r component.Result) {
	e.t.Helper()
	for _, p := range r.State {
		raw, err := json.Marshal(p.Value)
		if err != nil {
			e.t.Fatal(err)
		}
		e.state[p.Key] = raw
	}
}

// deliver makes a call and settles it.
func (e *engine) deliver(ds ...component.Delivery) []error {
	e.t.Helper()
	r := e.sink.Deliver(e.t.Context(), ds)
	e.settle(r)
	return r.Errors
}

// all must be delivered.
func (e *engine) all(ds ...component.Delivery) {
	e.t.Helper()
	for i, err := range e.deliver(ds...) {
		if err != nil {
			e.t.Fatalf("delivery %d: %v", i, err)
		}
	}
}

// rows of the table, in the order of its first column.
func (e *engine) rows(query string) []string {
	e.t.Helper()
	return sqltest.Rows(e.t, e.db, query)
}

var serial int

// event is a delivery of its own.
func event(body map[string]any) component.Delivery {
	serial++
	id := fmt.Sprintf("event%d", serial)
	return component.Delivery{ID: id + "-lane", Attempt: 1, Event: &component.Event{ID: id, Source: "source.fake.x", Time: time.Unix(1_700_000_000, 0).UTC(), Body: body}}
}

// compiled expression of a sink's attribute.
func code(t testing.TB, text string) expr.Expr {
	t.Helper()
	e, err := expr.Compile(expr.Source{Text: text}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// exprs makes attributes of names and expressions.
func exprs(t testing.TB, pairs ...string) map[string]expr.Expr {
	t.Helper()
	m := map[string]expr.Expr{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = code(t, pairs[i+1])
	}
	return m
}
