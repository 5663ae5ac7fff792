package poll

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/http"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/format"
	"github.com/syncd/syncd/engine/schedule"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is an intake that keeps what is committed, and knows events by the field id.
type memory struct {
	mu         sync.Mutex
	byID       bool
	ids        map[string]string // what was said last of each
	events     []string
	faults     []string
	duplicates int
	state      map[string]json.RawMessage
	expires    map[string]time.Time
	now        func() time.Time
	accepts    int
	err        func(accept int) error // instead of accepting
}

func newMemory(byID bool) *memory {
	return &memory{byID: byID, ids: map[string]string{}, state: map[string]json.RawMessage{}, expires: map[string]time.Time{}, now: time.Now}
}

func (m *memory) Accept(_ context.Context, b component.Batch) ([]component.Accepted, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.accepts++
	if m.err != nil {
		if err := m.err(m.accepts); err != nil {
			return nil, err
		}
	}
	for i := range b.Drafts {
		m.take(&b.Drafts[i])
	}
	for _, put := range b.State {
		if put.Value == nil {
			delete(m.state, put.Key)
			continue
		}
		raw, err := json.Marshal(put.Value)
		if err != nil {
			return nil, err
		}
		m.state[put.Key], m.expires[put.Key] = raw, put.Expires
	}
	return make([]component.Accepted, len(b.Drafts)), nil
}

func (m *memory) take(d *component.Draft) {
	if d.Fault != nil {
		m.faults = append(m.faults, d.Fault.Error()+": "+string(d.Raw))
		return
	}
	v, err := decoded(d)
	if err != nil {
		panic(err)
	}
	raw, err := format.AppendJSON(nil, v)
	if err != nil {
		panic(err)
	}
	if m.byID {
		id := fmt.Sprint(v.(map[string]any)["id"])
		if was, ok := m.ids[id]; ok && (d.Content == "" || was == d.Content) {
			m.duplicates++
			return
		}
		m.ids[id] = d.Content
	}
	m.events = append(m.events, string(raw))
}

func (m *memory) Get(_ context.Context, key string, v any) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	raw, ok := m.state[key]
	if until := m.expires[key]; !ok || !until.IsZero() && !until.After(m.now()) {
		return false, nil
	}
	return true, json.Unmarshal(raw, v)
}

func (*memory) Refused(int) {}

// cursor is what the next run begins from.
func (m *memory) cursor() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return string(m.state[keyCursor])
}

// counts tells how often each number of field n came.
func (m *memory) counts(t testing.TB) map[int]int {
	t.Helper()
	counts := map[int]int{}
	for _, e := range m.events {
		var v struct{ N int }
		if err := json.Unmarshal([]byte(e), &v); err != nil {
			t.Fatal(err)
		}
		counts[v.N]++
	}
	return counts
}

// once checks that the numbers 0…n-1 came, each once.
func (m *memory) once(t testing.TB, n int) {
	t.Helper()
	counts := m.counts(t)
	for i := range n {
		if counts[i] != 1 {
			t.Fatalf("record %d came %d times; %d events in all", i, counts[i], len(m.events))
		}
	}
	if len(m.events) != n {
		t.Errorf("%d events of %d", len(m.events), n)
	}
}

// server is an API.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string // method, path and query, and the body behind a space
	headers  []http.Header
}

func serve(t testing.TB, h http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, r.Method+" "+r.URL.RequestURI())
		s.headers = append(s.headers, r.Header)
		s.mu.Unlock()
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// asked are the requests since the last call.
func (s *server) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.requests
	s.requests = nil
	return list
}

// x compiles an expression, tmpl a template.
func x(text string) expr.Expr {
	e, err := expr.Compile(expr.Source{Text: text}, &expr.Scope{Names: []string{"record", "response", "cursor"}})
	if err != nil {
		panic(err)
	}
	return e
}

func tmpl(text string, place expr.Escape) expr.Template {
	e, err := expr.CompileTemplate(expr.Source{Text: text}, place, &expr.Scope{Names: []string{"cursor"}})
	if err != nil {
		panic(err)
	}
	return e
}

// poller is a source with all around it.
type poller struct {
	*source
	*memory
	t   testing.TB
	log *strings.Builder
}

// newPoller opens a source that asks url; records are the answer's field "data".
func newPoller(t testing.TB, url string, m *memory, configure func(*Config)) *poller {
	t.Helper()
	connection := conn.Kind.NewConfig().(*conn.Config)
	connection.BaseURL = url
	client, err := conn.Kind.Open(component.Env{Address: "connection.http.api", Now: time.Now}, connection)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.(*conn.Client).Close() })
	c := newConfig()
	c.Connection.Address = "connection.http.api"
	c.Every = time.Hour
	c.Records = x("response.body.data")
	c.Request.Path = tmpl("/records", expr.Path)
	c.Retry.Initial = time.Millisecond
	if configure != nil {
		configure(c)
	}
	p := &poller{memory: m, t: t, log: &strings.Builder{}}
	is, err := Kind().Open(component.Env{
		Address: "source.poll.test", Log: slog.New(slog.NewTextHandler(p.log, nil)), Now: time.Now,
		Connection: func(component.Ref) (any, error) { return client, nil },
	}, c)
	if err != nil {
		t.Fatal(err)
	}
	p.source = is.(*source)
	return p
}

// try is one call of the run.
func (p *poller) try() error {
	return p.source.run(p.t.Context(), p.memory, schedule.Due{})
}

// complete runs until a run is complete, at most n times, and tells how many it took.
func (p *poller) complete(n int) int {
	p.t.Helper()
	var err error
	for i := range n {
		if err = p.try(); err == nil {
			return i + 1
		}
	}
	p.t.Fatalf("not complete after %d attempts: %v", n, err)
	return 0
}

// fails checks that a run fails with an error that says so.
func (p *poller) fails(say string) {
	p.t.Helper()
	if err := p.try(); err == nil || !strings.Contains(err.Error(), say) {
		p.t.Errorf("got %v, want …%s…", err, say)
	}
}

// records are numbers from…to-1 as elements of a JSON list.
func records(from, to int) string {
	var b strings.Builder
	for n := from; n < to; n++ {
		if n > from {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"r%d","n":%d,"at":"2026-01-01T%02d:%02d:%02dZ"}`, n, n, n/3600%24, n/60%60, n%60)
	}
	return b.String()
}
