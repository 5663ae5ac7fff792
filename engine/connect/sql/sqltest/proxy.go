package sqltest

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/sql"
)

// Proxy stands between us and a server, and breaks what goes through it.
type Proxy struct {
	listener net.Listener
	target   string
	running  sync.WaitGroup

	mu     sync.Mutex
	frozen *sync.Cond
	ice    bool
	open   map[net.Conn]struct{}
}

// Through gives the configuration that reaches the same database by way of a proxy.
func Through(t testing.TB, cfg *conn.Config) (*conn.Config, *Proxy) {
	t.Helper()
	p := &Proxy{open: map[net.Conn]struct{}{}}
	p.frozen = sync.NewCond(&p.mu)
	var err error
	if p.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	by := *cfg
	if conn.Dialect(cfg.Driver) == conn.Postgres {
		u, err := url.Parse(cfg.DSN.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		p.target, u.Host = u.Host, p.listener.Addr().String()
		by.DSN = component.NewSecret(u.String())
	} else {
		c, err := mysql.ParseDSN(cfg.DSN.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		p.target, c.Addr = c.Addr, p.listener.Addr().String()
		by.DSN = component.NewSecret(c.FormatDSN())
	}
	p.running.Go(p.accept)
	t.Cleanup(p.close)
	return &by, p
}

func (p *Proxy) accept() {
	for {
		from, err := p.listener.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", p.target)
		if err != nil {
			from.Close()
			continue
		}
		p.keep(from, to)
		p.running.Go(func() { p.pump(from, to) })
		p.running.Go(func() { p.pump(to, from) })
	}
}

func (p *Proxy) keep(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.open[c] = struct{}{}
	}
}

// pump: what came before the end is still handed over, as a server reads what has
// arrived although the client has gone.
func (p *Proxy) pump(from, to net.Conn) {
	buf := make([]byte, 4<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		for p.ice {
			p.frozen.Wait()
		}
		p.mu.Unlock()
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	if tcp, ok := to.(*net.TCPConn); ok {
		_ = tcp.CloseWrite() // gone already, perhaps
	}
	_, _ = io.Copy(io.Discard, from)
}

// Freeze holds back all that goes through, until Thaw.
func (p *Proxy) Freeze() { p.set(true) }

// Thaw hands on what was held back.
func (p *Proxy) Thaw() { p.set(false) }

func (p *Proxy) set(ice bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ice = ice
	p.frozen.Broadcast()
}

// Cut breaks all connections.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		c.Close()
		delete(p.open, c)
	}
}

func (p *Proxy) close() {
	p.listener.Close()
	p.Thaw()
	p.Cut()
	p.running.Wait()
}
