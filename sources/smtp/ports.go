package smtp

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/syncd/syncd/engine/listen"
)

// ports are the sockets that sources listen on. They belong to no source: while one is
// replaced by the next, connections wait in the socket instead of being refused.
type ports struct {
	large *semaphore.Weighted // the turn of large mails, of all sources

	mu   sync.Mutex
	open map[string]*port
}

func newPorts() *ports {
	return &ports{large: semaphore.NewWeighted(1), open: map[string]*port{}}
}

// port is one of them, with those that want it.
type port struct {
	address  string
	listener net.Listener
	arrivals chan arrival
	closed   chan struct{}
	loop     sync.WaitGroup
	users    int
}

// arrival is a connection, or why there is none.
type arrival struct {
	conn net.Conn
	err  error
}

// take gives the port at address, opened if nobody has it yet. release must follow.
func (p *ports) take(address string) (*port, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.open[address]; known != nil {
		known.users++
		return known, nil
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for mail: %w", listen.Explain(address, err))
	}
	opened := &port{address: address, listener: l, arrivals: make(chan arrival), closed: make(chan struct{}), users: 1}
	opened.loop.Go(opened.accept)
	p.open[address] = opened
	return opened, nil
}

// release gives the port up; the last to do so closes it.
func (p *ports) release(one *port) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if one.users--; one.users > 0 {
		return nil
	}
	delete(p.open, one.address)
	close(one.closed)
	err := one.listener.Close()
	one.loop.Wait()
	return err
}

// accept hands connections to whoever takes them, until the port is closed.
func (p *port) accept() {
	for {
		c, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		select {
		case p.arrivals <- arrival{c, err}:
		case <-p.closed:
			if err == nil {
				c.Close()
			}
			return
		}
		if err != nil { // too many open files, say
			select {
			case <-time.After(100 * time.Millisecond):
			case <-p.closed:
				return
			}
		}
	}
}

// turn is the time in which one source takes the connections of a port.
type turn struct {
	*port
	over  chan struct{}
	end   sync.Once
	admit func(net.Conn) net.Conn // nil: it was turned away
	fault func(error)
}

var _ net.Listener = (*turn)(nil)

// Accept gives the next connection that is admitted.
func (t *turn) Accept() (net.Conn, error) {
	for {
		select {
		case <-t.over:
			return nil, net.ErrClosed
		default:
		}
		select {
		case <-t.over:
			return nil, net.ErrClosed
		case a := <-t.arrivals:
			if a.err != nil {
				t.fault(a.err)
			} else if c := t.admit(a.conn); c != nil {
				return c, nil
			}
		}
	}
}

// Close ends the turn; the port stays open.
func (t *turn) Close() error {
	t.end.Do(func() { close(t.over) })
	return nil
}

// Addr is the port's.
func (t *turn) Addr() net.Addr { return t.listener.Addr() }
