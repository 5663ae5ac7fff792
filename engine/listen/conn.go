package listen

import (
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// writeTimeout bounds each write: answers are small, so that only a client that
// does not read at all meets it.
const writeTimeout = 30 * time.Second

// conn is a connection with a limit for writes. The server's own WriteTimeout
// counts from the request's header on and would cut a long upload off from its answer.
type conn struct {
	net.Conn
	until time.Time // the deadline of writes, moved when half of it is gone

	listener *Listener
	era      *era
	addr     netip.Addr  // of the peer
	terms    string      // on which it was let in; with TLS, written by the handshake
	begun    atomic.Bool // a request has come, or none will
}

// begin says that a request has come, or that none will.
func (c *conn) begin() {
	if !c.begun.Load() && c.begun.CompareAndSwap(false, true) {
		c.era.fresh.Add(-1)
	}
}

func (c *conn) Close() error {
	c.begin()
	return c.Conn.Close()
}

func (c *conn) Write(b []byte) (int, error) {
	if now := time.Now(); c.until.Sub(now) < writeTimeout/2 {
		c.until = now.Add(writeTimeout)
		if err := c.SetWriteDeadline(c.until); err != nil {
			return 0, err
		}
	}
	return c.Conn.Write(b)
}

// CloseWrite lets the server end its side first, so that a client that is still
// sending gets its answer instead of a reset.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
