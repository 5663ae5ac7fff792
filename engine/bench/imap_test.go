package bench

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"github.com/syncd/syncd/engine/connect/mail/dovecottest"
)

const imapConf = `
daemon { state_dir = "state" }
connection "imap" "mail" {
  host     = "127.0.0.1"
  port     = %d
  tls      = "none"
  user     = %q
  password = %q
}
source "imap" "orders" {
  connection = connection.imap.mail
  after { seen = %v }
}
flow "orders" {
  from = source.imap.orders
  map {
    from    = "body.from"
    subject = "body.subject"
    size    = "body.attachments[0].size"
  }
  to = %s
}
`

const toFile = `sink.files.out
}
sink "files" "out" {
  path = "out.ndjson"
  format "ndjson" {}
`

const mailboxMails = 10_000

// mailOf is a mail of about 4 KiB with an attachment.
func mailOf(n int) string {
	return fmt.Sprintf("From: Ana <ana@partner.example>\r\nTo: orders@example.com\r\nSubject: order %d\r\nMessage-ID: <%d@partner.example>\r\n"+
		"Date: Wed, 25 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nThe order is attached.\r\n"+
		"--b\r\nContent-Type: text/csv; name=order.csv\r\n\r\nsku,quantity\r\n%s--b--\r\n", n, n, strings.Repeat("SKU-123456,10\r\n", 240))
}

// BenchmarkMailbox reads a mailbox of 10,000 mails, maps them and writes them to an
// NDJSON file, from the start of the process to the last line, beside a client that
// fetches them and keeps nothing.
func BenchmarkMailbox(b *testing.B) {
	if _, err := binary(); err != nil {
		b.Fatal(err)
	}
	d := dovecottest.Start(b, dovecottest.Options{})
	fillMailbox(b, d)
	for b.Loop() {
		our, their := alternate(b,
			func() figures { return readMailbox(b, d) },
			func() figures {
				began := time.Now()
				fetchMailbox(b, d)
				return figures{accepted: mailboxMails / time.Since(began).Seconds()}
			})
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(median(our, accepted), "mails/s")
		b.ReportMetric(1000*median(our, func(f figures) float64 { return f.cpu }), "cpu-µs/mail")
		b.ReportMetric(median(our, func(f figures) float64 { return f.peak }), "peak-MiB")
		b.ReportMetric(median(their, accepted), "client-mails/s")
		b.ReportMetric(ratio(our, their, accepted), "of-client")
	}
}

// fillMailbox puts the mails where Dovecot finds them, and has it look.
func fillMailbox(b *testing.B, d *dovecottest.Server) {
	c := d.Client()
	defer c.Close()
	if _, err := c.Select("INBOX", nil).Wait(); err != nil { // which makes the directories
		b.Fatal(err)
	}
	for n := range mailboxMails {
		name := filepath.Join(d.Dir, "mail", "new", fmt.Sprintf("%d.M%dP1.bench", 1_700_000_000+n, n))
		if err := os.WriteFile(name, []byte(mailOf(n)), 0o666); err != nil {
			b.Fatal(err)
		}
		if err := os.Chmod(name, 0o666); err != nil {
			b.Fatal(err)
		}
	}
	fetchMailbox(b, d)
}

func fetchMailbox(b *testing.B, d *dovecottest.Server) {
	b.Helper()
	c := d.Client()
	defer c.Close()
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		b.Fatal(err)
	}
	var all imap.SeqSet
	all.AddRange(1, 0)
	cmd := c.Fetch(all, &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{{Peek: true}}})
	n := 0
	for m := cmd.Next(); m != nil; m = cmd.Next() {
		for item := m.Next(); item != nil; item = m.Next() {
			if s, ok := item.(imapclient.FetchItemDataBodySection); ok {
				_, _ = io.Copy(io.Discard, s.Literal)
				n++
			}
		}
	}
	if err := cmd.Close(); err != nil || n != mailboxMails {
		b.Fatalf("%d mails, %v", n, err)
	}
}

func readMailbox(b *testing.B, d *dovecottest.Server) figures {
	began := time.Now()
	p := runDaemon(b, "", "", fmt.Sprintf(imapConf, d.Port, dovecottest.User, dovecottest.Password, false, toFile))
	defer p.stop(b)
	deadline := time.After(2 * time.Minute)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	lines := lineCounter{path: filepath.Join(p.dir, "out.ndjson")}
	for lines.count() < mailboxMails {
		select {
		case <-look.C:
		case <-deadline:
			b.Fatalf("%d mails after two minutes; it printed:\n%s", lines.n, p.printed())
		}
	}
	took := time.Since(began)
	u := p.usage(b)
	return figures{accepted: mailboxMails / took.Seconds(), cpu: milliseconds(u.cpu) / mailboxMails, peak: u.peak}
}

// BenchmarkMailArrives is the time from a delivery to a mailbox to the request to an
// HTTP sink, by IDLE: with a server in memory, which tells of mails at once, and with
// Dovecot, which may gather news for half a second first. A mail comes when the one
// before has been seen to.
func BenchmarkMailArrives(b *testing.B) {
	b.Run("server=memory", func(b *testing.B) {
		at, deliver := memoryServer(b)
		arrivals(b, at, "ana", "s3cret", deliver, 200)
	})
	b.Run("server=dovecot", func(b *testing.B) {
		d := dovecottest.Start(b, dovecottest.Options{})
		c := d.Client()
		defer c.Close()
		arrivals(b, d.Port, dovecottest.User, dovecottest.Password, func(raw string) (time.Time, error) {
			<-time.After(20 * time.Millisecond) // by then the daemon waits
			began := time.Now()
			return began, dovecottest.Append(c, "INBOX", raw)
		}, 30)
	})
}

func arrivals(b *testing.B, port int, user, password string, deliver func(string) (time.Time, error), mails int) {
	came := make(chan time.Time, 1)
	out := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		came <- time.Now()
		w.WriteHeader(http.StatusNoContent)
	}))
	defer out.Close()
	sink := fmt.Sprintf("sink.http.out\n}\nconnection \"http\" \"out\" { base_url = %q }\nsink \"http\" \"out\" {\n  connection = connection.http.out\n  path = \"/\"\n", out.URL)
	for b.Loop() {
		p := runDaemon(b, "", "", fmt.Sprintf(imapConf, port, user, password, true, sink))
		var took []time.Duration
		for n := range mails + 1 {
			began, err := deliver(mailOf(n))
			if err != nil {
				b.Fatal(err)
			}
			select {
			case at := <-came:
				if n > 0 { // the first waits for the daemon
					took = append(took, at.Sub(began))
				}
			case <-time.After(20 * time.Second):
				b.Fatalf("mail %d does not arrive; it printed:\n%s", n, p.printed())
			}
		}
		p.stop(b)
		slices.Sort(took)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(milliseconds(took[len(took)/2]), "p50-ms")
		b.ReportMetric(milliseconds(took[len(took)*99/100]), "p99-ms")
	}
}

type quietly struct{}

func (quietly) Printf(string, ...any) {}

// memoryServer is go-imap's own, and a way to deliver to ana's INBOX.
func memoryServer(b *testing.B) (port int, deliver func(string) (time.Time, error)) {
	idles := make(chan struct{}, 1)
	all, user := imapmemserver.New(), imapmemserver.NewUser("ana", "s3cret")
	if err := user.Create("INBOX", nil); err != nil {
		b.Fatal(err)
	}
	all.AddUser(user)
	s := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &told{all.NewSession(), idles}, nil, nil
		},
		InsecureAuth: true, Logger: quietly{},
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Serve(l)
	}()
	b.Cleanup(func() {
		s.Close()
		<-ended
	})
	return l.Addr().(*net.TCPAddr).Port, func(raw string) (time.Time, error) {
		<-idles // what comes between two commands, it may not tell of
		<-time.After(10 * time.Millisecond)
		began := time.Now()
		_, err := user.Append("INBOX", sized{strings.NewReader(raw)}, &imap.AppendOptions{})
		return began, err
	}
}

// told is a session that tells when the client begins to wait.
type told struct {
	imapserver.Session
	idles chan struct{}
}

func (t *told) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	select {
	case t.idles <- struct{}{}:
	default:
	}
	return t.Session.Idle(w, stop)
}

type sized struct{ *strings.Reader }

func (s sized) Size() int64 { return int64(s.Len()) }
