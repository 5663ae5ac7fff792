package sshdtest

import (
	"net"
	"sync"
	"testing"
)

// Proxy stands between a client and a server, and makes trouble on demand.
type Proxy struct {
	Host string
	Port int

	target string
	port   net.Listener
	all    sync.WaitGroup

	mu     sync.Mutex
	thawed *sync.Cond
	conns  map[net.Conn]bool
	passed int64 // bytes to clients, of all connections
	cutAt  int64 // of passed; 0: not
	cuts   int
	frozen bool
	closed bool
}

// NewProxy stands before the server at target.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().(*net.TCPAddr)
	p := &Proxy{Host: addr.IP.String(), Port: addr.Port, target: target, port: l, conns: map[net.Conn]bool{}}
	p.thawed = sync.NewCond(&p.mu)
	p.all.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Cut ends all connections.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut()
}

func (p *Proxy) cut() {
	p.cuts++
	for c := range p.conns {
		c.Close()
	}
}

// CutAfter ends all connections, once, when n more bytes have gone to clients or have
// come from them.
func (p *Proxy) CutAfter(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cutAt = p.passed + n
}

// Cuts is how often connections were cut.
func (p *Proxy) Cuts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts
}

// Passed is how many bytes have gone through, in both directions.
func (p *Proxy) Passed() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.passed
}

// Freeze lets nothing through any more; connections stay, and new ones are accepted.
func (p *Proxy) Freeze() { p.set(true) }

// Thaw ends that.
func (p *Proxy) Thaw() { p.set(false) }

func (p *Proxy) set(frozen bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frozen = frozen
	p.thawed.Broadcast()
}

func (p *Proxy) close() {
	p.mu.Lock()
	p.closed, p.frozen = true, false
	p.cut()
	p.thawed.Broadcast()
	p.mu.Unlock()
	p.port.Close()
	p.all.Wait()
}

func (p *Proxy) accept() {
	for {
		client, err := p.port.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		p.conns[client], p.conns[server] = true, true
		if p.closed {
			client.Close()
			server.Close()
		}
		p.mu.Unlock()
		p.all.Go(func() { p.copy(client, server) })
		p.all.Go(func() { p.copy(server, client) })
	}
}

func (p *Proxy) copy(to, from net.Conn) {
	defer p.forget(to, from)
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if !p.pass(n) || err != nil {
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// pass waits while the proxy is frozen; false: the connection has been cut.
func (p *Proxy) pass(n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.frozen {
		p.thawed.Wait()
	}
	p.passed += int64(n)
	if p.cutAt > 0 && p.passed >= p.cutAt {
		p.cutAt = 0
		p.cut()
		return false
	}
	return true
}

func (p *Proxy) forget(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		c.Close()
		delete(p.conns, c)
	}
}
