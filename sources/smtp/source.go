package smtp

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"blitiri.com.ar/go/spf"
	"github.com/emersion/go-smtp"
	"golang.org/x/time/rate"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/listen"
)

const (
	// stopGrace is what a mail that is coming in has left when the source stops.
	stopGrace = 3 * time.Second
	// maxRecipients bounds what one mail may become: it is stored for each of them.
	// Senders bring the rest in another mail (RFC 5321, section 4.5.3.1.10).
	maxRecipients = 10
)

// source is one listener for mail. But for its connections, what it holds does not change.
type source struct {
	env      component.Env
	config   *Config
	intake   component.Intake
	ports    *ports
	port     *port
	tls      *tls.Config // nil: none
	hostname string
	patterns []*pattern
	from     []*regexp.Regexp
	limiter  *rate.Limiter // nil: no limit
	logins   []login
	resolver spf.DNSResolver
	ctx      context.Context // of what is being accepted

	mu    sync.Mutex
	conns map[*conn]bool
	byIP  map[netip.Addr]int
	over  bool // no mail is taken any more
	mails sync.WaitGroup

	refusal atomic.Pointer[string] // the last
	quiet   quiet
}

var (
	_ component.Source   = (*source)(nil)
	_ component.Reporter = (*source)(nil)
	_ component.Closer   = (*source)(nil)
)

func open(env component.Env, c *Config, ports *ports) (component.Source, error) {
	s := &source{
		env: env, config: c, ports: ports, hostname: c.Hostname, resolver: net.DefaultResolver,
		conns: map[*conn]bool{}, byIP: map[netip.Addr]int{},
	}
	for _, r := range c.Recipients {
		p, err := newPattern(r)
		if err != nil {
			return nil, err
		}
		s.patterns = append(s.patterns, p)
	}
	for _, from := range c.AllowFrom {
		s.from = append(s.from, newGlob(from))
	}
	for _, a := range c.Auth {
		s.logins = append(s.logins, newLogin(a))
	}
	if r := c.RateLimit; r.IsSet() {
		s.limiter = rate.NewLimiter(rate.Limit(float64(r.N)/r.Per.Seconds()), r.N)
	}
	if s.hostname == "" {
		s.hostname, _ = os.Hostname() // the name is for people alone
	}
	var err error
	if c.TLS != nil {
		if s.tls, err = listen.NewTLS(listen.TLS{Cert: c.TLS.Cert, Key: c.TLS.Key}, env.Log); err != nil {
			return nil, err
		}
	}
	s.port, err = ports.take(c.Address)
	return s, err
}

// Close gives the port up.
func (s *source) Close() error { return s.ports.release(s.port) }

// Run takes connections until ctx ends. Mails that are coming in then have stopGrace
// left; their senders try again with whoever listens next.
func (s *source) Run(ctx context.Context, in component.Intake) error {
	accepting, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	s.intake, s.ctx, s.over = in, accepting, false
	server := s.server()
	t := &turn{port: s.port, over: make(chan struct{}), admit: s.admit, fault: func(err error) {
		s.quiet.log(s.env.Log, slog.LevelError, "a connection cannot be taken", "err", err)
	}}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(t) // it ends when t is closed
	}()
	s.env.Log.Info("listening for mail", "address", t.Addr().String())
	<-ctx.Done()
	t.Close()
	<-served
	s.each((*conn).stop)
	defer time.AfterFunc(stopGrace, func() {
		giveUp()
		s.each(func(c *conn) { c.Close() })
	}).Stop()
	err := server.Shutdown(context.WithoutCancel(ctx))
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	s.mails.Wait() // for those in chunks, for which Shutdown does not wait
	return err
}

// begin tells whether a mail may come in; then mails.Done must follow.
func (s *source) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.mails.Add(1)
	}
	return !s.over
}

func (s *source) server() *smtp.Server {
	server := smtp.NewServer(smtp.BackendFunc(s.session))
	server.Domain = s.hostname
	server.MaxMessageBytes = int64(s.config.MaxMessage)
	server.MaxRecipients = maxRecipients
	server.MaxLineLength = maxLine
	server.EnableSMTPUTF8 = true
	server.AllowInsecureAuth = true // a session knows who may log in
	server.ErrorLog = slog.NewLogLogger(s.env.Log.Handler(), slog.LevelDebug)
	if s.tls != nil && s.config.TLS.Mode != "implicit" {
		server.TLSConfig = s.tls
	}
	return server
}

// each does something with every connection.
func (s *source) each(do func(*conn)) {
	s.mu.Lock()
	all := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		all = append(all, c)
	}
	s.mu.Unlock()
	for _, c := range all {
		do(c)
	}
}

// admit takes a connection, or answers why not.
func (s *source) admit(tcp net.Conn) net.Conn {
	peer := address(tcp.RemoteAddr())
	c := &conn{
		Conn: tcp, peer: peer, since: time.Now(), most: 2*int64(s.config.MaxMessage) + maxLine,
		endless: func(c *conn) { s.cutOff(c.peer, errEndless.Error()) }, gone: s.forget,
	}
	if answer := s.greet(c); answer != "" {
		s.refused(peer, answer)
		_ = tcp.SetWriteDeadline(time.Now().Add(time.Second))
		fmt.Fprintf(tcp, "%s\r\n", answer)
		tcp.Close()
		return nil
	}
	if s.tls != nil && s.config.TLS.Mode == "implicit" {
		return tls.Server(c, s.tls)
	}
	return c
}

// greet counts a connection, or says with which answer it goes.
func (s *source) greet(c *conn) string {
	if a := s.config.AllowIPs; len(a) > 0 && !slices.ContainsFunc(a, func(n netip.Prefix) bool { return n.Masked().Contains(c.peer) }) {
		return "554 5.7.1 this address may not send here"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.conns) >= s.config.MaxConnections || s.byIP[c.peer] >= (s.config.MaxConnections+1)/2 {
		return "421 4.7.0 too many connections, come again later"
	}
	s.conns[c] = true
	s.byIP[c.peer]++
	return ""
}

func (s *source) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if s.byIP[c.peer]--; s.byIP[c.peer] == 0 {
		delete(s.byIP, c.peer)
	}
}

func address(a net.Addr) netip.Addr {
	ap, _ := netip.ParseAddrPort(a.String())
	return ap.Addr().Unmap().WithZone("")
}

// Report tells who is connected, and what was refused last.
func (s *source) Report() component.Report {
	s.mu.Lock()
	n := len(s.conns)
	s.mu.Unlock()
	note := fmt.Sprintf("%d connections", n)
	if n == 1 {
		note = "1 connection"
	}
	if last := s.refusal.Load(); last != nil {
		note += "; last refused " + *last
	}
	return component.Report{Note: note}
}
