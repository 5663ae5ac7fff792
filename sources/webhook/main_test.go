package webhook

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sync/semaphore"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/listen"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// budget is what tests give all bodies together.
const budget = 8 << 20

// memory is an intake that keeps drafts and numbers them.
type memory struct {
	mu      sync.Mutex
	drafts  []component.Draft
	refused int
	err     error
	known   map[string]string // by raw body, when not nil
}

func (m *memory) Accept(ctx context.Context, b component.Batch) ([]component.Accepted, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return nil, m.err
	}
	if id, ok := m.known[string(b.Drafts[0].Raw)]; ok {
		return []component.Accepted{{ID: id, Duplicate: true}}, nil
	}
	m.drafts = append(m.drafts, b.Drafts...)
	id := strconv.Itoa(len(m.drafts))
	if m.known != nil {
		m.known[string(b.Drafts[0].Raw)] = id
	}
	return []component.Accepted{{ID: id}}, nil
}

func (m *memory) Get(context.Context, string, any) (bool, error) { return false, nil }

func (m *memory) Refused(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refused += n
}

// counts are the events stored and the requests refused so far.
func (m *memory) counts() (stored, refused int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.drafts), m.refused
}

// hook is a webhook on its own, with an intake in memory.
type hook struct {
	http.Handler
	*memory
	inFlight *semaphore.Weighted
	route    component.Route
	log      *strings.Builder
}

// newHook opens a webhook on /hook, changed by configure.
func newHook(t testing.TB, configure func(*Config)) *hook {
	t.Helper()
	c := newConfig()
	c.Path = "/hook"
	if configure != nil {
		configure(c)
	}
	h := &hook{memory: &memory{}, inFlight: semaphore.NewWeighted(budget), log: &strings.Builder{}}
	env := component.Env{
		Address: "source.webhook.test", Log: slog.New(slog.NewTextHandler(h.log, nil)), Now: time.Now, InFlight: h.inFlight,
	}
	opened, err := Kind().Open(env, c)
	if err != nil {
		t.Fatal(err)
	}
	_, routes := opened.(component.Mounter).Mount(h.memory)
	h.route, h.Handler = routes[0], routes[0].Handler
	t.Cleanup(func() {
		if !h.inFlight.TryAcquire(budget) {
			t.Error("the budget for bodies was not given back")
		}
	})
	return h
}

// post sends a request without a network.
func (h *hook) post(body string, headers ...string) *httptest.ResponseRecorder {
	return h.send(httptest.NewRequest("POST", "/hook", strings.NewReader(body)), headers...)
}

func (h *hook) send(r *http.Request, headers ...string) *httptest.ResponseRecorder {
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// last is the draft that was stored last.
func (h *hook) last(t testing.TB) component.Draft {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.drafts) == 0 {
		t.Fatal("nothing was stored")
	}
	return h.drafts[len(h.drafts)-1]
}

func (h *hook) lastMeta(t testing.TB) map[string]any {
	t.Helper()
	var meta map[string]any
	if err := json.Unmarshal(h.last(t).RawMeta, &meta); err != nil {
		t.Fatalf("%v: %s", err, h.last(t).RawMeta)
	}
	return meta
}

// problem decodes an answer and checks that it is what RFC 9457 wants.
func problem(t testing.TB, res *http.Response) map[string]any {
	t.Helper()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var p map[string]any
	if err := json.Unmarshal(raw, &p); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	if res.Header.Get("Content-Type") != "application/problem+json" || p["type"] != "about:blank" ||
		p["title"] != http.StatusText(res.StatusCode) || p["status"] != float64(res.StatusCode) {
		t.Errorf("not a problem: %s %s", res.Header.Get("Content-Type"), raw)
	}
	return p
}

// serve puts webhooks behind a real listener and gives its URL.
func serve(t testing.TB, c listen.Config, hooks ...*hook) string {
	t.Helper()
	c.Name, c.Address = "listener.http.test", "127.0.0.1:0"
	l, err := listen.Open(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	var routes []component.Route
	for _, h := range hooks {
		routes = append(routes, h.route)
	}
	if err := l.Swap(routes); err != nil {
		t.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- l.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := l.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		<-served
	})
	return "http://" + l.Addr().String()
}

func newClient(t testing.TB) *http.Client {
	tr := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 20 * time.Second}
}
