package sftp

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// session is one SSH connection, and SFTP on it if anybody asked for files. Once it
// has failed it is never used again.
type session struct {
	conn net.Conn
	ssh  *ssh.Client
	sftp *sftp.Client // nil: not begun

	once  sync.Once
	over  chan struct{}
	cause error // why, once it is over

	waiting atomic.Int32 // calls that the server owes an answer
	since   atomic.Int64 // when the first of them began to wait, Unix nanoseconds
	heard   atomic.Int64 // when the server last sent something of SFTP
}

// fail ends the session, and all that waits for it.
func (s *session) fail(cause error) {
	s.once.Do(func() {
		s.cause = cause
		close(s.over)
		s.conn.Close()
		s.ssh.Close()
	})
}

// err is the reason why the session is over; nil: it is not.
func (s *session) err() error {
	select {
	case <-s.over:
		return s.cause
	default:
		return nil
	}
}

// begin and end enclose the time in which the server owes an answer.
func (s *session) begin() {
	if s.waiting.Load() == 0 { // before it counts: what is looked at meanwhile is never old
		s.since.Store(time.Now().UnixNano())
	}
	s.waiting.Add(1)
}

func (s *session) end() { s.waiting.Add(-1) }

// silence is how long the server has owed an answer and sent nothing.
func (s *session) silence() time.Duration {
	if s.waiting.Load() == 0 {
		return 0
	}
	return time.Duration(time.Now().UnixNano() - max(s.since.Load(), s.heard.Load()))
}

// watch ends the session when the connection ends, or the server falls silent: one
// that owes an answer, or one that does not answer to being asked now and then.
func (s *session) watch(timeout, keepalive time.Duration) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := s.ssh.Wait(); err != nil {
			s.fail(err)
		}
		s.fail(io.EOF)
	}()
	defer func() { <-ended }()
	silent := fmt.Errorf("it has said nothing for %s", timeout)
	look := time.NewTicker(timeout / 8)
	defer look.Stop()
	ask := time.NewTimer(keepalive)
	defer ask.Stop()
	var answer chan struct{}
	for {
		select {
		case <-s.over:
			return
		case <-look.C:
			if s.silence() > timeout {
				s.fail(silent)
			}
		case <-ask.C:
			if answer != nil {
				s.fail(silent)
				continue
			}
			answer = s.ask()
			ask.Reset(timeout)
		case <-answer:
			answer = nil
			ask.Reset(keepalive)
		}
	}
}

// ask sends what every server answers, if only by "I do not know that".
func (s *session) ask() chan struct{} {
	answer := make(chan struct{})
	go func() {
		defer close(answer)
		s.ssh.SendRequest("keepalive@openssh.com", true, nil) //nolint:errcheck // it fails when the session is over
	}()
	return answer
}

// startSFTP begins SFTP on the connection.
func (s *session) startSFTP() error {
	channel, err := s.ssh.NewSession()
	if err != nil {
		return fmt.Errorf("open a session: %w", err)
	}
	in, err1 := channel.StdinPipe()
	out, err2 := channel.StdoutPipe()
	complaints, err3 := channel.StderrPipe()
	if err := errors.Join(err1, err2, err3); err != nil {
		return fmt.Errorf("open a session: %w", err)
	}
	if err := channel.RequestSubsystem("sftp"); err != nil {
		return fmt.Errorf("the server offers no SFTP to this user: %w", err)
	}
	go io.Copy(io.Discard, complaints) //nolint:errcheck // unread, they would stop the rest
	client, err := sftp.NewClientPipe(&ear{out, s}, in, sftp.UseConcurrentReads(true), sftp.UseConcurrentWrites(true))
	if err != nil {
		return fmt.Errorf("begin SFTP: %w", err)
	}
	s.sftp = client
	go func() {
		client.Wait() //nolint:errcheck // it says less than what we say
		s.fail(errors.New("the server ended the session"))
	}()
	return nil
}

// ear notes when something is heard.
type ear struct {
	io.Reader
	s *session
}

func (e *ear) Read(b []byte) (int, error) {
	n, err := e.Reader.Read(b)
	if n > 0 {
		e.s.heard.Store(time.Now().UnixNano())
	}
	return n, err
}
