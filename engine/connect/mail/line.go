package mail

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// line is one connection to the server.
type line struct {
	client *mail.Client
	smtp   *smtp.Client
	sent   int
	until  *time.Timer // while it is idle

	mu  sync.Mutex
	raw net.Conn
}

func (l *line) set(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.raw = c
}

// cut ends whatever waits on the connection.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.raw != nil {
		_ = l.raw.Close()
	}
}

func (l *line) send(ctx context.Context, m *mail.Msg) error {
	stop := context.AfterFunc(ctx, l.cut)
	defer stop()
	l.sent++
	return l.client.SendWithSMTPClient(l.smtp, m)
}

// goodbye is how long a server may take to say so.
const goodbye = time.Second

// close says goodbye, as servers like it, and hangs up.
func (l *line) close() {
	timer := time.AfterFunc(goodbye, l.cut)
	defer timer.Stop()
	_ = l.client.CloseWithSMTPClient(l.smtp)
	l.cut()
}

const (
	// idleFor is how long a connection is kept without use: shorter than the five
	// minutes after which servers may hang up (RFC 5321, section 4.5.3.2.7).
	idleFor = 30 * time.Second
	// mailsPerLine go over one connection: some servers allow no more.
	mailsPerLine = 100
)

// idle are the connections that wait for the next mail.
type idle struct {
	mu     sync.Mutex
	lines  []*line
	closed bool
}

// take gives the one that was used last, nil if there is none.
func (i *idle) take() *line {
	i.mu.Lock()
	defer i.mu.Unlock()
	for n := len(i.lines); n > 0; n-- {
		l := i.lines[n-1]
		i.lines = i.lines[:n-1]
		if l.until.Stop() {
			return l
		}
	}
	return nil
}

// keep keeps l for a while, or closes it.
func (i *idle) keep(l *line) {
	i.mu.Lock()
	if i.closed || l.sent >= mailsPerLine {
		i.mu.Unlock()
		l.close()
		return
	}
	l.until = time.AfterFunc(idleFor, func() {
		i.forget(l)
		l.close()
	})
	i.lines = append(i.lines, l)
	i.mu.Unlock()
}

func (i *idle) forget(l *line) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for n := range i.lines {
		if i.lines[n] == l {
			i.lines = append(i.lines[:n], i.lines[n+1:]...)
			return
		}
	}
}

func (i *idle) closeAll() {
	i.mu.Lock()
	lines := i.lines
	i.lines, i.closed = nil, true
	i.mu.Unlock()
	for _, l := range lines {
		if l.until.Stop() {
			l.close()
		}
	}
}
