package smtp

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// Limits against peers that take their time, or never end.
const (
	idleTimeout  = 5 * time.Minute // for a command (RFC 5321, section 4.5.3.2.7)
	dataGrace    = time.Minute     // for a message, whatever its size
	minRate      = 4 << 10         // bytes a second that a message must bring beyond that
	writeTimeout = 30 * time.Second
	maxCommand   = 40 << 10 // bytes without an answer from us: a record of TLS and some
	maxLine      = 64 << 10 // of a message; RFC 5321 allows 1000, and not all know that
)

var errEndless = errors.New("sent without end")

// conn is a connection with those limits. It sees what goes over the wire, below TLS.
type conn struct {
	net.Conn
	peer    netip.Addr
	most    int64 // bytes that may come for one message
	endless func(*conn)
	gone    func(*conn)
	end     sync.Once

	mu       sync.Mutex
	since    time.Time // of the last answer, or of the message's beginning
	read     int64     // since then
	data     bool      // a message is coming in
	stopping bool      // no further command is taken
}

// Read reads on, up to the deadline that stands.
func (c *conn) Read(b []byte) (int, error) {
	if err := c.ready(); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	c.read += int64(n)
	c.mu.Unlock()
	return n, err
}

func (c *conn) ready() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	until, most := c.since.Add(idleTimeout), int64(maxCommand)
	switch {
	case c.data:
		until, most = c.since.Add(dataGrace+time.Duration(c.read)*time.Second/minRate), c.most
	case c.stopping:
		return os.ErrDeadlineExceeded
	}
	if c.read > most {
		if !c.data {
			c.endless(c)
		}
		return errEndless
	}
	return c.SetReadDeadline(until)
}

// Write answers: what comes next is another command.
func (c *conn) Write(b []byte) (int, error) {
	c.mu.Lock()
	c.since, c.read, c.data = time.Now(), 0, false
	c.mu.Unlock()
	if err := c.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// receiving says that a message comes in, until the next answer.
func (c *conn) receiving() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.data {
		c.since, c.read, c.data = time.Now(), 0, true
	}
}

// stop ends the connection when the message that comes in has been answered, or now.
func (c *conn) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopping = true
	if !c.data {
		_ = c.SetReadDeadline(time.Unix(1, 0)) // of a connection that has gone, nobody waits
	}
}

// Close ends the connection.
func (c *conn) Close() error {
	c.end.Do(func() { c.gone(c) })
	return c.Conn.Close()
}
