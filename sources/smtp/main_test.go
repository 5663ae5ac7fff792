package smtp

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sync/semaphore"

	"github.com/syncd/syncd/engine/component"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// budget is what tests give all mails that are being received together.
const budget = 96 << 20

// memory is an intake that keeps drafts and numbers them.
type memory struct {
	mu      sync.Mutex
	batches [][]component.Draft
	events  int
	refused int
	err     error
	hold    chan struct{} // when not nil, Accept waits for it
}

func (m *memory) Accept(ctx context.Context, b component.Batch) ([]component.Accepted, error) {
	if m.hold != nil {
		select {
		case <-m.hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return nil, m.err
	}
	m.batches = append(m.batches, b.Drafts)
	var accepted []component.Accepted
	for range b.Drafts {
		m.events++
		accepted = append(accepted, component.Accepted{ID: "event" + strconv.Itoa(m.events)})
	}
	return accepted, nil
}

func (m *memory) Get(context.Context, string, any) (bool, error) { return false, nil }

func (m *memory) Refused(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refused += n
}

func (m *memory) counts() (events, refused int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.events, m.refused
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

// running is a source that runs.
type running struct {
	*source
	memory *memory
	log    *lines
	budget *semaphore.Weighted
	stop   func()
}

func (r *running) addr() string { return r.port.listener.Addr().String() }

// run opens and runs a source; change may alter its configuration, and the source before it runs.
func run(t testing.TB, p *ports, change func(*Config), prepare ...func(*source)) *running {
	t.Helper()
	c := newConfig()
	c.Address, c.Recipients, c.Hostname = "127.0.0.1:0", []string{"orders@in.example.com", "orders+{token}@in.example.com"}, "mx.example"
	if change != nil {
		change(c)
	}
	r := &running{memory: &memory{}, log: &lines{}, budget: semaphore.NewWeighted(budget)}
	s, err := open(component.Env{
		Address: "source.smtp.inbox", Log: slog.New(slog.NewTextHandler(r.log, nil)), Now: time.Now, InFlight: r.budget, Spool: spool(t),
	}, c, p)
	if err != nil {
		t.Fatal(err)
	}
	r.source = s.(*source)
	for _, f := range prepare {
		f(r.source)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx, r.memory) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		if err := r.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if !r.budget.TryAcquire(budget) {
			t.Error("something of the budget is still held")
		}
	})
	t.Cleanup(r.stop)
	return r
}

// spool makes files that are gone when they are closed.
func spool(t testing.TB) func() (*os.File, error) {
	dir := t.TempDir()
	return func() (*os.File, error) {
		f, err := os.CreateTemp(dir, "")
		if err == nil {
			err = os.Remove(f.Name())
		}
		return f, err
	}
}

// peer is a connection that a test drives by hand.
type peer struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
}

func dial(t testing.TB, addr string) *peer {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	p := &peer{t, c, bufio.NewReader(c)}
	p.hurry()
	return p
}

// hurry gives what comes next a minute.
func (p *peer) hurry() { _ = p.conn.SetDeadline(time.Now().Add(time.Minute)) }

// greeted is a peer that has said EHLO.
func greeted(t testing.TB, addr string) *peer {
	t.Helper()
	p := dial(t, addr)
	p.expect("220 ")
	p.say("EHLO client.example", "250")
	return p
}

// answer reads an answer, of several lines the last.
func (p *peer) answer() string {
	p.t.Helper()
	text, err := p.lines()
	if err != nil {
		p.t.Fatalf("read answer: %v (%q)", err, text)
	}
	all := strings.Split(strings.TrimSpace(text), "\r\n")
	return all[len(all)-1]
}

func (p *peer) lines() (string, error) {
	p.hurry()
	var all strings.Builder
	for {
		line, err := p.in.ReadString('\n')
		all.WriteString(line)
		if err != nil || len(line) > 3 && line[3] == ' ' {
			return all.String(), err
		}
	}
}

func (p *peer) expect(prefix string) string {
	p.t.Helper()
	got := p.answer()
	if !strings.HasPrefix(got, prefix) {
		p.t.Errorf("answered %q, want %q", got, prefix)
	}
	return got
}

func (p *peer) send(text string) {
	p.t.Helper()
	p.hurry()
	if _, err := p.conn.Write([]byte(text)); err != nil {
		p.t.Fatal(err)
	}
}

// say sends a command and expects an answer that begins with prefix.
func (p *peer) say(command, prefix string) string {
	p.t.Helper()
	p.send(command + "\r\n")
	got := p.answer()
	if !strings.HasPrefix(got, prefix) {
		p.t.Errorf("%s: answered %q, want %q", command, got, prefix)
	}
	return got
}

// ended expects the connection to be closed.
func (p *peer) ended() {
	p.t.Helper()
	if rest, err := p.lines(); err == nil {
		p.t.Errorf("the connection goes on with %q", rest)
	}
}

// mail sends one, and expects the answer to it to begin with prefix.
func (p *peer) mail(to, content, prefix string) string {
	p.t.Helper()
	p.say("MAIL FROM:<ana@partner.example>", "250")
	p.say("RCPT TO:<"+to+">", "250")
	p.say("DATA", "354")
	p.send(content + "\r\n.\r\n")
	return p.expect(prefix)
}

// plain is a mail as it is sent.
func plain(subject string) string {
	return "From: Ana <ana@partner.example>\r\nTo: orders@in.example.com\r\nSubject: " + subject + "\r\nMessage-ID: <" + subject + "@partner.example>\r\n\r\nhello\r\n..dots stay\r\n"
}

// certificate writes one for mx.example, whose name is its serial number.
func certificate(t testing.TB, dir string, serial int64) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), DNSNames: []string{"mx.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// startTLS goes over to TLS, and gives the certificate's number.
func (p *peer) startTLS() int64 {
	p.t.Helper()
	p.say("STARTTLS", "220")
	return p.secure()
}

func (p *peer) secure() int64 {
	p.t.Helper()
	c := tls.Client(p.conn, &tls.Config{InsecureSkipVerify: true})
	if err := c.Handshake(); err != nil {
		p.t.Fatal(err)
	}
	p.conn, p.in = c, bufio.NewReader(c)
	return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

// within polls what another goroutine brings about.
func within(t testing.TB, what string, cond func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not in time: %s", what)
		}
	}
}

func chunk(text string, last string) string {
	return fmt.Sprintf("BDAT %d%s\r\n%s", len(text), last, text)
}
