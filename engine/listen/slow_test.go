package listen

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncd/syncd/engine/component"
)

// pipes is a network in memory, for time that a test decides on.
type pipes struct {
	conns chan net.Conn
	gone  chan bool
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan bool)} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.gone:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) Close() error {
	select {
	case <-p.gone:
	default:
		close(p.gone)
	}
	return nil
}

func (p *pipes) dial() net.Conn {
	here, there := net.Pipe()
	p.conns <- there
	return here
}

// within runs a listener over pipes in virtual time.
func within(t *testing.T, h http.HandlerFunc, f func(t *testing.T, network *pipes)) {
	synctest.Test(t, func(t *testing.T) {
		network := newPipes()
		s, err := newSettings(Config{Name: "listener.http.test"}, quiet)
		if err != nil {
			t.Fatal(err)
		}
		l := newListener("", s, network)
		if err := l.Swap([]component.Route{{Path: "/", Handler: h}}); err != nil {
			t.Fatal(err)
		}
		served := make(chan error)
		go func() { served <- l.Serve() }()
		f(t, network)
		if err := l.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		<-served
	})
}

// readBody reads with Body and answers 408 as a source would.
func readBody(w http.ResponseWriter, r *http.Request) {
	body := NewBody(w, r)
	n, err := io.Copy(io.Discard, &body)
	body.Done()
	switch {
	case TooSlow(err):
		Hangup(w, r)
		Problem{Status: 408}.Write(w)
	case err != nil:
		Problem{Status: 400}.Write(w)
	default:
		fmt.Fprint(w, n)
	}
}

func answer(t *testing.T, c net.Conn) (int, string) {
	t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(body)
}

func TestBodyThatNeverComes(t *testing.T) {
	within(t, readBody, func(t *testing.T, network *pipes) {
		c := network.dial()
		defer c.Close()
		start := time.Now()
		io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
		if status, _ := answer(t, c); status != 408 {
			t.Errorf("got %d", status)
		}
		if took := time.Since(start); took != bodyGrace {
			t.Errorf("it took %s, want %s", took, bodyGrace)
		}
		if _, err := io.Copy(io.Discard, c); err != nil && !errors.Is(err, io.ErrClosedPipe) {
			t.Error(err)
		}
		if took := time.Since(start); took > bodyGrace+hangupTime+time.Second {
			t.Errorf("the connection stood for %s", took)
		}
	})
}

func TestDrippingBody(t *testing.T) {
	within(t, readBody, func(t *testing.T, network *pipes) {
		c := network.dial()
		defer c.Close()
		start := time.Now()
		io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
		done := make(chan bool)
		go func() {
			defer close(done)
			for {
				if _, err := io.WriteString(c, "x"); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		if status, _ := answer(t, c); status != 408 {
			t.Errorf("got %d", status)
		}
		if took := time.Since(start); took > bodyGrace+2*time.Second {
			t.Errorf("it took %s", took)
		}
		c.Close()
		<-done
	})
}

// A large body may take its time as long as it keeps up the rate.
func TestSteadyBody(t *testing.T) {
	const size = 1 << 20
	within(t, readBody, func(t *testing.T, network *pipes) {
		c := network.dial()
		defer c.Close()
		start := time.Now()
		fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", size)
		go func() {
			chunk := strings.Repeat("x", minRate)
			for range size / minRate {
				io.WriteString(c, chunk)
				time.Sleep(time.Second)
			}
		}()
		if status, body := answer(t, c); status != 200 || body != fmt.Sprint(size) {
			t.Errorf("got %d %s", status, body)
		}
		if took := time.Since(start); took < 30*time.Second {
			t.Errorf("it took only %s", took)
		}
		time.Sleep(time.Minute)
	})
}

// While a source works on a request that was read, no deadline may end its context.
func TestNoDeadlineAfterTheBody(t *testing.T) {
	work := func(w http.ResponseWriter, r *http.Request) {
		body := NewBody(w, r)
		io.Copy(io.Discard, &body)
		body.Done()
		select {
		case <-r.Context().Done():
			Problem{Status: 500}.Write(w)
		case <-time.After(time.Hour):
			io.WriteString(w, "done")
		}
	}
	within(t, work, func(t *testing.T, network *pipes) {
		c := network.dial()
		defer c.Close()
		io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
		if status, body := answer(t, c); status != 200 || body != "done" {
			t.Errorf("got %d %s", status, body)
		}
	})
}

func TestHeaderThatNeverEnds(t *testing.T) {
	within(t, readBody, func(t *testing.T, network *pipes) {
		c := network.dial()
		defer c.Close()
		start := time.Now()
		io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\n")
		if _, err := io.Copy(io.Discard, c); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took < headerTimeout || took > headerTimeout+time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func TestIdleConnection(t *testing.T) {
	within(t, readBody, func(t *testing.T, network *pipes) {
		c := network.dial()
		defer c.Close()
		io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
		r := bufio.NewReader(c)
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		start := time.Now()
		if _, err := r.ReadByte(); err != io.EOF {
			t.Error(err)
		}
		if took := time.Since(start); took != idleTimeout {
			t.Errorf("closed after %s, want %s", took, idleTimeout)
		}
	})
}

func TestAnswerThatNobodyReads(t *testing.T) {
	var ended chan time.Duration // made within the bubble
	flood := func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		for {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				ended <- time.Since(start)
				return
			}
		}
	}
	within(t, flood, func(t *testing.T, network *pipes) {
		ended = make(chan time.Duration, 1)
		c := network.dial()
		defer c.Close()
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		if took := <-ended; took != writeTimeout {
			t.Errorf("the writer was stuck for %s, want %s", took, writeTimeout)
		}
	})
}
