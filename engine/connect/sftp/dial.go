package sftp

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/peer"
	"golang.org/x/crypto/ssh"
)

// Pauses between attempts to connect, that grow from the first to the last.
const (
	firstPause = time.Second
	lastPause  = time.Minute
)

// session gives the connection, made now if there is none; with SFTP begun on it if files are
// wanted. After a failure nothing is tried until the pause is over: callers get that failure.
func (c *Client) session(ctx context.Context, files bool) (*session, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if c.closed {
		return nil, net.ErrClosed
	}
	if c.now != nil && c.now.err() == nil && (c.now.sftp != nil || !files) {
		return c.now, nil
	}
	if wait := time.Until(c.again); wait > 0 {
		return nil, component.RetryAfter(c.because, wait)
	}
	s, err := c.connect(ctx, files)
	if err != nil {
		if ctx.Err() == nil {
			c.pause(err)
		}
		return nil, err
	}
	c.now, c.failed, c.because = s, 0, nil
	return s, nil
}

// pause notes a failure: each more doubles the time until the next attempt.
func (c *Client) pause(err error) {
	d := min(firstPause<<min(c.failed, 10), lastPause)
	c.failed++
	c.because = err
	c.again = time.Now().Add(d*3/4 + rand.N(d/2))
}

// connect makes what session is asked for.
func (c *Client) connect(ctx context.Context, files bool) (*session, error) {
	within, cancel := context.WithTimeoutCause(ctx, c.cfg.Timeout, fmt.Errorf("no answer within %s", c.cfg.Timeout))
	defer cancel()
	s := c.now
	if s == nil || s.err() != nil {
		var err error
		if s, err = c.dial(within); err != nil {
			return nil, err
		}
		c.calls.Go(func() { s.watch(c.cfg.Timeout, c.cfg.Keepalive) })
	}
	if !files {
		return s, nil
	}
	stop := context.AfterFunc(within, func() { s.fail(context.Cause(within)) })
	err := s.startSFTP()
	if !stop() {
		err = context.Cause(within)
	}
	if err != nil {
		s.fail(err)
		return nil, fmt.Errorf("connect to %s: %w", c.address, err)
	}
	return s, nil
}

// dial connects and logs in.
func (c *Client) dial(ctx context.Context) (*session, error) {
	keys, err := c.hostKeys()
	if err != nil {
		return nil, component.Unwell(err)
	}
	conn, err := c.dialTCP(ctx)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return nil, c.failure(err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	sc, channels, requests, err := ssh.NewClientConn(conn, c.address, &ssh.ClientConfig{
		User: c.cfg.User, Auth: c.auth, HostKeyCallback: keys.check, HostKeyAlgorithms: keys.algorithms, ClientVersion: "SSH-2.0-syncd",
	})
	if !stop() {
		conn.Close()
		return nil, c.failure(context.Cause(ctx))
	}
	if err != nil {
		conn.Close()
		return nil, c.failure(err)
	}
	c.log.Debug("connected", "server", c.address, "software", string(sc.ServerVersion()))
	return &session{conn: conn, ssh: ssh.NewClient(sc, channels, requests), over: make(chan struct{})}, nil
}

// dialTCP reaches the server's port, by way of the jump host if there is one.
func (c *Client) dialTCP(ctx context.Context) (net.Conn, error) {
	if c.jump == nil {
		return (&net.Dialer{KeepAlive: c.cfg.Keepalive}).DialContext(ctx, "tcp", c.address)
	}
	s, err := c.jump.session(ctx, false)
	if err != nil {
		return nil, fmt.Errorf("by way of %s: %w", c.jump.address, err)
	}
	conn, err := s.ssh.DialContext(ctx, "tcp", c.address)
	if err != nil {
		return nil, fmt.Errorf("by way of %s: %w", c.jump.address, err)
	}
	return conn, nil
}

// failure names the server, and marks what no other call would be spared: names that
// do not resolve, host keys and logins that are refused.
func (c *Client) failure(err error) error {
	var distrust *distrustError
	switch {
	case errors.As(err, &distrust):
		return component.Unwell(distrust)
	case component.IsUnwell(err):
		return err
	case peer.IsDNS(err):
		return component.Unwell(fmt.Errorf("connect to %s: %w", c.address, err))
	case strings.Contains(err.Error(), "unable to authenticate"): // of no type of its own
		return component.Unwell(fmt.Errorf("%s does not let user %q in by %s: %w", c.address, c.cfg.User, c.cfg.ways(), err))
	}
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" { // which names the server itself
		err = dial.Err
	}
	return fmt.Errorf("connect to %s: %w", c.address, err)
}

// ways are our ways to log in, in words.
func (c *Config) ways() string {
	var list []string
	if c.Certificate != "" {
		list = append(list, "certificate")
	}
	if c.PrivateKey.IsSet() {
		list = append(list, "private_key")
	}
	if c.Password.IsSet() {
		list = append(list, "password")
	}
	return strings.Join(list, " or ")
}
