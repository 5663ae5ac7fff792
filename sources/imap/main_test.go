package imap

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/mail"
	"github.com/syncd/syncd/engine/message"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil { // they wait for servers, most of the time
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// memory is an intake that keeps what is committed.
type memory struct {
	mu      sync.Mutex
	drafts  []component.Draft
	state   map[string]json.RawMessage
	refused int
	accepts int
	err     func(accept int) error // instead of accepting
	changed chan struct{}
}

func newMemory() *memory {
	return &memory{state: map[string]json.RawMessage{}, changed: make(chan struct{}, 1)}
}

func (m *memory) Accept(_ context.Context, b component.Batch) ([]component.Accepted, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	defer signal(m.changed)
	m.accepts++
	if m.err != nil {
		if err := m.err(m.accepts); err != nil {
			return nil, err
		}
	}
	m.drafts = append(m.drafts, b.Drafts...)
	for _, put := range b.State {
		if put.Value == nil {
			delete(m.state, put.Key)
			continue
		}
		raw, err := json.Marshal(put.Value)
		if err != nil {
			return nil, err
		}
		m.state[put.Key] = raw
	}
	return make([]component.Accepted, len(b.Drafts)), nil
}

func (m *memory) Get(_ context.Context, key string, v any) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	raw, ok := m.state[key]
	if !ok {
		return false, nil
	}
	return true, json.Unmarshal(raw, v)
}

func (m *memory) Refused(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refused += n
}

func (m *memory) turned() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.refused
}

// subjects are those of the events so far, and of dead letters "dead: " and why.
func (m *memory) subjects() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []string
	for _, d := range m.drafts {
		if d.Fault != nil {
			all = append(all, "dead: "+d.Fault.Error())
			continue
		}
		all = append(all, message.Addressed(d.Raw)["subject"].(string))
	}
	return all
}

func (m *memory) place(t testing.TB, mailbox string) place {
	t.Helper()
	var p place
	if _, err := m.Get(t.Context(), placeKey(mailbox), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func (m *memory) keys() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []string
	for k := range m.state {
		all = append(all, k)
	}
	return all
}

// server is what a connection needs to reach one.
type server struct {
	host, user, password string
	port                 int
	timeout              time.Duration
}

// running is a source that runs.
type running struct {
	*source
	t    testing.TB
	log  *lines
	stop func()
}

// lines is a log that tests read.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newSource(t testing.TB, at server, m *memory, log *lines, change func(*Config)) *source {
	t.Helper()
	kind := mail.IMAP
	config := kind.NewConfig().(*mail.BoxConfig)
	config.Host, config.Port, config.TLS = at.host, at.port, "none"
	config.User, config.Password = at.user, component.NewSecret(at.password)
	if at.timeout > 0 {
		config.Timeout = at.timeout
	}
	logger := slog.New(slog.NewTextHandler(log, nil))
	connection, err := kind.Open(component.Env{Address: "connection.imap.mail", Log: logger, Now: time.Now}, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.(component.Closer).Close() })
	c := newConfig()
	c.Every = time.Minute
	if change != nil {
		change(c)
	}
	s, err := open(component.Env{
		Address: "source.imap.in", Log: logger, Now: time.Now, State: m,
		Connection: func(component.Ref) (any, error) { return connection, nil },
	}, c)
	if err != nil {
		t.Fatal(err)
	}
	return s.(*source)
}

// run runs a source until stop is called, or the test ends.
func run(t testing.TB, at server, m *memory, change func(*Config)) *running {
	t.Helper()
	r := &running{t: t, log: &lines{}}
	r.source = newSource(t, at, m, r.log, change)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx, m) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		if t.Failed() {
			t.Logf("the source said:\n%s", r.log)
		}
	})
	t.Cleanup(r.stop)
	return r
}

// until waits for cond, which another process brings about.
func until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for tick := time.NewTicker(5 * time.Millisecond); ; {
		if cond() {
			tick.Stop()
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 20 seconds: %s", what)
		}
	}
}

// settled waits until a mailbox has been looked into without trouble, n events are
// there, and nothing is left to be done to mails.
func (r *running) settled(m *memory, mailbox string, n int) {
	r.t.Helper()
	until(r.t, fmt.Sprintf("%d events, have %q; status %+v", n, m.subjects(), r.Report()), func() bool {
		p := m.place(r.t, mailbox)
		return len(m.subjects()) >= n && p.Done.empty() && p.Failed.empty() && p.Was == nil && !r.Report().Last.IsZero()
	})
	if got := m.subjects(); len(got) != n {
		r.t.Errorf("%d events, want %d: %q", len(got), n, got)
	}
}

func letter(subject string, more ...string) string {
	return "From: Ana <ana@partner.example>\r\nTo: orders@example.com\r\nSubject: " + subject + "\r\nMessage-ID: <" + subject + "@partner.example>\r\n" +
		strings.Join(more, "") + "\r\ntext of " + subject + "\r\n"
}

func itoa(n int) string { return fmt.Sprint(n) }
