package bench

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const mailConf = `
daemon { state_dir = "state" }
source "smtp" "orders" {
  address         = %q
  recipients      = ["orders@in.example.com"]
  max_connections = 200
}
connection "http" "out" { base_url = "http://%s" }
sink "http" "out" {
  connection = connection.http.out
  path       = "/"
}
flow "orders" {
  from = source.smtp.orders
  map {
    from    = "body.from"
    subject = "body.subject"
    text    = "body.text"
  }
  to = [sink.http.out]
}
`

// BenchmarkMail is a mail of 1 KiB that is kept on disk and answered with 250, over
// connections that each send the next when the last is answered: two round trips for
// each, as clients that pipeline need them. The only sink answers 503.
func BenchmarkMail(b *testing.B) {
	for _, conns := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("conns=%d", conns), func(b *testing.B) {
			for b.Loop() {
				var runs []figures
				for range pairs {
					runs = append(runs, mails(b, conns))
				}
				report(b, runs)
			}
		})
	}
}

// mails loads a daemon of its own.
func mails(b *testing.B, conns int) figures {
	s := newSink(b, 1)
	defer s.close()
	s.refusing.Store(true)
	addr := freeAddr(b)
	p := runDaemon(b, addr, "", fmt.Sprintf(mailConf, addr, s.addr()))
	defer p.kill()
	p.awaitPort(b)
	sendMails(b, addr, min(conns, 16), warmUp)
	before := p.usage(b)
	a := sendMails(b, addr, conns, loadFor)
	return a.figures(before, p.usage(b))
}

// awaitPort returns when somebody listens.
func (p *process) awaitPort(tb testing.TB) {
	tb.Helper()
	deadline := time.After(20 * time.Second)
	for again := time.NewTicker(time.Millisecond); ; <-again.C {
		c, err := net.Dial("tcp", p.addr)
		if err == nil {
			c.Close()
			again.Stop()
			return
		}
		select {
		case <-p.exited:
			tb.Fatalf("%s has ended; it printed:\n%s", p.cmd.Path, p.printed())
		case <-deadline:
			tb.Fatalf("%s does not listen; it printed:\n%s", p.cmd.Path, p.printed())
		default:
		}
	}
}

func sendMails(tb testing.TB, addr string, conns int, lasts time.Duration) answers {
	tb.Helper()
	parts, errs := make([]answers, conns), make([]error, conns)
	all := answers{began: time.Now()}
	var wg sync.WaitGroup
	for i := range parts {
		wg.Go(func() { errs[i] = parts[i].mail(addr, all.began, lasts) })
	}
	wg.Wait()
	all.took = time.Since(all.began)
	for i, p := range parts {
		if errs[i] != nil {
			tb.Fatalf("send mails: %v", errs[i])
		}
		all.accepted += p.accepted
		all.latency = append(all.latency, p.latency...)
	}
	slices.Sort(all.latency)
	return all
}

// mail is one connection.
func (a *answers) mail(addr string, began time.Time, lasts time.Duration) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	if err := converse(conn, in, "", "220"); err != nil {
		return err
	}
	if err := converse(conn, in, "EHLO bench\r\n", "250"); err != nil {
		return err
	}
	for n := 0; time.Since(began) < lasts; n++ {
		content := fmt.Sprintf("From: Ana <ana@partner.example>\r\nTo: orders@in.example.com\r\nSubject: order %d\r\nMessage-ID: <%d.%s>\r\n\r\n%s.\r\n",
			n, n, conn.LocalAddr(), strings.Repeat("two boxes of what we had the last time\r\n", 22))
		sent := time.Now()
		conn.SetDeadline(sent.Add(answerWithin))
		if err := converse(conn, in, "MAIL FROM:<ana@partner.example>\r\nRCPT TO:<orders@in.example.com>\r\nDATA\r\n", "250", "250", "354"); err != nil {
			return err
		}
		if err := converse(conn, in, content, "250"); err != nil {
			return err
		}
		a.accepted++
		a.latency = append(a.latency, time.Since(sent))
	}
	return nil
}

// converse sends text and reads the answers to it.
func converse(conn net.Conn, in *bufio.Reader, text string, want ...string) error {
	if _, err := conn.Write([]byte(text)); err != nil {
		return err
	}
	for _, w := range want {
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return fmt.Errorf("read answer: %w", err)
			}
			if !strings.HasPrefix(line, w) {
				return fmt.Errorf("answered %q, want %s", line, w)
			}
			if line[3] == ' ' {
				break
			}
		}
	}
	return nil
}
