package smtp

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncd/syncd/engine/component"
)

// Line ends by which a mail gets past one program within that of another: none of
// them ends a mail here, and who tries is cut off.
func TestSmuggling(t *testing.T) {
	r := run(t, newPorts(), nil)
	inner := "MAIL FROM:<boss@in.example.com>\r\nRCPT TO:<orders@in.example.com>\r\nDATA\r\nFrom: boss@in.example.com\r\n\r\nsmuggled\r\n.\r\n"
	ends := []string{"\n.\n", "\n.\r\n", "\r.\r", "\r.\r\n", "\r\n.\n", "\r\n.\r", "\n\n.\r\n", "\r\n\x00.\r\n"}
	for _, end := range ends {
		p := greeted(t, r.addr())
		p.say("MAIL FROM:<a@x.example>", "250")
		p.say("RCPT TO:<orders@in.example.com>", "250")
		p.say("DATA", "354")
		p.send("Subject: outer\r\n\r\nhi" + end + inner)
		answers := ""
		for {
			text, err := p.lines()
			answers += text
			if err != nil || strings.HasPrefix(text, "250") {
				break
			}
		}
		if strings.Count(answers, "250") > 1 || strings.Contains(answers, "354") {
			t.Errorf("%q: answered %q", end, answers)
		}
		p.conn.Close()
	}
	for _, b := range r.memory.batches {
		if strings.HasPrefix(string(b[0].Raw), "From: boss") {
			t.Errorf("a mail was smuggled: %q", b[0].Raw)
		}
	}
	if events, refused := r.memory.counts(); refused < len(ends)-2 || events+refused != len(ends) {
		t.Errorf("of %d, %d refused, %d taken", len(ends), refused, events)
	}
	if !strings.Contains(r.log.String(), "a peer was cut off") {
		t.Errorf("logged: %s", r.log)
	}
}

func TestWithoutEnd(t *testing.T) {
	r := run(t, newPorts(), func(c *Config) { c.MaxMessage = 64 << 10 })
	for what, begin := range map[string]string{
		"command": "",
		"line":    "MAIL FROM:<a@x.example>\r\nRCPT TO:<orders@in.example.com>\r\nDATA\r\n",
		"mail":    "MAIL FROM:<a@x.example>\r\nRCPT TO:<orders@in.example.com>\r\nDATA\r\n",
	} {
		p := greeted(t, r.addr())
		p.send(begin)
		fill := strings.Repeat("x", 4096)
		if what == "mail" {
			fill = strings.Repeat("x\r\n", 1000)
		}
		var err error
		for range 10_000 {
			if _, err = p.conn.Write([]byte(fill)); err != nil {
				break
			}
		}
		if err == nil {
			t.Errorf("a %s without end is read for ever", what)
		}
		p.conn.Close()
	}
	within(t, "all are counted", func() bool { _, refused := r.memory.counts(); return refused == 3 })
	if len(r.memory.batches) > 0 {
		t.Error("something was stored")
	}
}

// pipe is a connection in a bubble, whose other end is returned.
func pipe(data bool) (*conn, net.Conn) {
	here, there := net.Pipe()
	c := &conn{Conn: here, since: time.Now(), most: 1 << 20, endless: func(*conn) {}, gone: func(*conn) {}}
	if data {
		c.receiving()
	}
	return c, there
}

func TestSlowPeers(t *testing.T) {
	for _, test := range []struct {
		what        string
		data        bool
		bytes       int // at a time
		every       time.Duration
		least, most time.Duration
	}{
		{"silent", false, 0, time.Hour, idleTimeout, idleTimeout},
		{"a command by and by", false, 1, time.Minute, idleTimeout, idleTimeout + time.Minute},
		{"a mail by and by", true, 1, 10 * time.Second, dataGrace, 2 * dataGrace},
		{"slow, but in time", true, minRate, time.Second, 200 * time.Second, time.Hour},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, there := pipe(test.data)
			done, ended := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(ended)
				for {
					select {
					case <-time.After(test.every):
						if test.bytes > 0 {
							_, _ = there.Write(make([]byte, test.bytes)) // until it is closed
						}
					case <-done:
						return
					}
				}
			}()
			began := time.Now()
			var err error
			for b := make([]byte, 1<<16); err == nil; _, err = c.Read(b) {
			}
			if took := time.Since(began); took < test.least || took > test.most {
				t.Errorf("%s: it took %s until %v", test.what, took, err)
			}
			close(done)
			c.Close()
			there.Close()
			<-ended
		})
	}
}

// When the source stops, a mail that has come is answered; a peer that waits is told to go.
func TestStop(t *testing.T) {
	r := run(t, newPorts(), nil)
	r.memory.hold = make(chan struct{})
	idle, busy := greeted(t, r.addr()), greeted(t, r.addr())
	busy.say("MAIL FROM:<a@x.example>", "250")
	busy.say("RCPT TO:<orders@in.example.com>", "250")
	busy.say("DATA", "354")
	busy.send(plain("one"))
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		r.stop()
	}()
	idle.expect("421")
	idle.ended()
	busy.send(".\r\n")
	close(r.memory.hold)
	busy.expect("250 2.0.0 OK: stored")
	busy.expect("421")
	busy.ended()
	<-stopped
}

// A mail that does not come to its end holds a stop up for a moment only.
func TestStopWithinAMail(t *testing.T) {
	t.Parallel()
	r := run(t, newPorts(), nil)
	p := greeted(t, r.addr())
	p.say("MAIL FROM:<a@x.example>", "250")
	p.say("RCPT TO:<orders@in.example.com>", "250")
	p.send(chunk("Subject: begun\r\n", ""))
	p.expect("250")
	q := greeted(t, r.addr())
	q.say("MAIL FROM:<a@x.example>", "250")
	q.say("RCPT TO:<orders@in.example.com>", "250")
	q.say("DATA", "354")
	began := time.Now()
	r.stop()
	if took := time.Since(began); took > 2*stopGrace {
		t.Errorf("it took %s", took)
	}
	if events, _ := r.memory.counts(); events > 0 {
		t.Error("half a mail was stored")
	}
}

// While one source takes another's place, connections wait: none is refused.
func TestTakeover(t *testing.T) {
	ports := newPorts()
	address := freeAddress(t)
	fixed := func(c *Config) { c.Address = address }
	r := run(t, ports, fixed)
	done, halt := make(chan int), make(chan struct{})
	go func() {
		sent := 0
		for {
			select {
			case <-halt:
				done <- sent
				return
			default:
			}
			c, err := net.Dial("tcp", address)
			if err != nil {
				t.Errorf("dial: %v", err)
				done <- sent
				return
			}
			p := &peer{t: t, conn: c}
			sent += p.tries(plain(fmt.Sprint(sent)))
			c.Close()
		}
	}()
	total := 0
	for range 5 {
		next, err := open(r.env, r.config, ports) // as a reload opens it beside the one that runs
		if err != nil {
			t.Fatal(err)
		}
		r.stop()
		events, _ := r.memory.counts()
		total += events
		r = run(t, ports, fixed)
		if err := next.(component.Closer).Close(); err != nil {
			t.Error(err)
		}
		before := r.memory
		within(t, "mail", func() bool { n, _ := before.counts(); return n > 3 })
	}
	close(halt)
	sent := <-done
	r.stop()
	events, _ := r.memory.counts()
	if total += events; total < sent {
		t.Errorf("%d of %d mails that were acknowledged", total, sent)
	}
	if len(ports.open) > 0 {
		t.Error("the port is still open")
	}
}

// tries sends a mail; 1 if it was acknowledged.
func (p *peer) tries(content string) int {
	c := p.conn
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	b := make([]byte, 4096)
	read := func(prefix string) bool {
		n, err := c.Read(b)
		return err == nil && strings.HasPrefix(string(b[:n]), prefix)
	}
	if !read("220") {
		return 0
	}
	for _, step := range [][2]string{{"HELO me", "250"}, {"MAIL FROM:<a@x.example>", "250"}, {"RCPT TO:<orders@in.example.com>", "250"}, {"DATA", "354"}, {content + ".", "250"}} {
		if _, err := c.Write([]byte(step[0] + "\r\n")); err != nil || !read(step[1]) {
			return 0
		}
	}
	return 1
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestPortIsTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = newPorts().take(l.Addr().String())
	if err == nil || !strings.Contains(err.Error(), "is taken by another program") {
		t.Errorf("got %v", err)
	}
}
