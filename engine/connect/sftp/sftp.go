// Package sftp is the connection to an SFTP server: where it is, whose host key it
// must show, how we log in, and one SSH connection that its users share. It is
// made when it is first needed, watched, and made again when it is lost.
package sftp

import (
	"context"
	_ "embed"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/files"
	"golang.org/x/crypto/ssh"
)

//go:embed page.md
var page string

// Kind declares connection "sftp".
var Kind = component.ConnectionKind("sftp", "An SFTP server: its address, its host key, and how to log in.", newConfig, open).WithPage(page)

// Client is what users of the connection get: the server's files.
type Client struct {
	cfg     *Config
	log     *slog.Logger
	address string
	auth    []ssh.AuthMethod
	jump    *Client // through whose server; nil: straight to ours

	turn    chan struct{} // held by who looks at or changes what follows
	now     *session      // nil: none yet
	failed  int           // attempts to connect since the last success
	because error         // of the last of them
	again   time.Time     // not before
	closed  bool

	calls sync.WaitGroup // that are under way, also those whose callers have gone
}

var (
	_ files.FS          = (*Client)(nil)
	_ component.Checker = (*Client)(nil)
	_ component.Closer  = (*Client)(nil)
)

func open(env component.Env, cfg *Config) (*Client, error) {
	auth, err := cfg.methods()
	if err != nil {
		return nil, err
	}
	c := &Client{
		cfg: cfg, log: env.Log, auth: auth, turn: make(chan struct{}, 1),
		address: net.JoinHostPort(cfg.Host, strconv.Itoa(cfg.Port)),
	}
	if _, err := c.hostKeys(); err != nil {
		return nil, err
	}
	if cfg.Jump.IsSet() {
		c.jump, err = component.Connect[*Client](env, cfg.Jump)
	}
	return c, err
}

// Close hangs up, and returns when all calls have ended.
func (c *Client) Close() error {
	c.turn <- struct{}{}
	c.closed = true
	if c.now != nil {
		c.now.fail(net.ErrClosed)
	}
	<-c.turn
	c.calls.Wait()
	return nil
}

// Check connects, verifies the host key, logs in, and hangs up.
func (c *Client) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	s, err := c.dial(ctx)
	if err != nil {
		return err
	}
	s.fail(net.ErrClosed)
	return nil
}

// String names the server in messages.
func (c *Client) String() string { return fmt.Sprintf("%s@%s", c.cfg.User, c.address) }
