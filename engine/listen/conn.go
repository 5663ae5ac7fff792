package listen

import (
	"net"
	"time"
)

// writeTimeout bounds each write: answers are small, so that only a client that
// does not read at all meets it.
const writeTimeout = 30 * time.Second

// patient gives each connection a limit for writes. The server's own WriteTimeout
// counts from the request's header on and would cut a long upload off from its answer.
type patient struct{ net.Listener }

func (p patient) Accept() (net.Conn, error) {
	c, err := p.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c}, nil
}

type conn struct {
	net.Conn
	until time.Time // the deadline of writes, moved when half of it is gone
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
