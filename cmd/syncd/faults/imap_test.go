//go:build linux

package faults

import (
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/syncd/syncd/engine/connect/mail/dovecottest"
	"github.com/syncd/syncd/engine/connect/sftp/sshdtest"
)

// The webhook is there for the line of its listener, by which launch knows that all runs.
const imapConf = `
source "webhook" "none" {
  path = "/none"
  verify "none" {}
}
connection "imap" "mail" {
  host     = "127.0.0.1"
  port     = %d
  tls      = "starttls"
  ca       = %q
  user     = %q
  password = %q
}
source "imap" "in" {
  connection = connection.imap.mail
  after { move = "Processed" }
}
sink "files" "out" {
  path = "out.ndjson"
  format "ndjson" {}
}
flow "mails" {
  from = [source.imap.in, source.webhook.none]
  map {
    n    = "number(body.subject)"
    size = "body.attachments[0].size"
  }
  to = [sink.files.out]
}
`

// Mails come in while the daemon is killed and its connections are cut, at random
// moments: each is an event once, and is moved once. Every is five minutes, so that all
// of it is the doing of IDLE and of beginning anew.
func TestKillsAndCutsWhileMailComesIn(t *testing.T) {
	t.Parallel() // it waits for its servers most of the time
	for _, can := range []string{"", "IMAP4rev1 SASL-IR LOGIN-REFERRALS IDLE UIDPLUS LITERAL+ STARTTLS"} {
		name := "move"
		if can != "" {
			name = "copy"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			killAndCut(t, can)
		})
	}
}

func killAndCut(t *testing.T, capability string) {
	mails, kills, cuts := 120, 3, 6
	if long {
		mails, kills, cuts = 500, 10, 20
	}
	server := dovecottest.Start(t, dovecottest.Options{Capability: capability})
	proxy := sshdtest.NewProxy(t, net.JoinHostPort("127.0.0.1", strconv.Itoa(server.Port)))
	dir := t.TempDir()
	configure(t, dir, fmt.Sprintf(imapConf, proxy.Port, server.CA, dovecottest.User, dovecottest.Password))
	d := launch(t, dir)
	sender := server.Client()
	defer sender.Close()
	troubles := kills + cuts
	for trouble := range troubles {
		until(t, "it goes on after the last trouble", func() bool { return inMailbox(t, sender, "INBOX") == 0 })
		kill := trouble%3 == 2 // two cuts for a kill
		if !kill {
			proxy.CutAfter(1 + rand.Int64N(30_000))
		}
		for n := mails * trouble / troubles; n < mails*(trouble+1)/troubles; n++ {
			if err := dovecottest.Append(sender, "INBOX", numbered(n)); err != nil {
				t.Fatal(err)
			}
		}
		if kill {
			<-time.After(rand.N(30 * time.Millisecond)) // the moment is the point
			d.kill()
			d = launch(t, dir)
		}
	}
	until(t, "all mails are moved", func() bool { return inMailbox(t, sender, "INBOX") == 0 })
	s := d.drained()
	d.stop()
	t.Logf("%d kills, connections cut %d times", kills, proxy.Cuts())
	if proxy.Cuts() < cuts {
		t.Errorf("connections were cut %d times: no trouble worth the name", proxy.Cuts())
	}
	if f := s.Flows[0]; f.Accepted != int64(mails) || f.Delivered != int64(mails) {
		t.Errorf("%d mails: %+v", mails, f)
	}
	counts := fileCounts(t, filepath.Join(dir, "out.ndjson"))
	for n := range mails {
		if counts[n] != 1 {
			t.Errorf("mail %d is there %d times", n, counts[n])
		}
	}
	moved := map[string]int{}
	for _, subject := range subjectsIn(t, sender, "Processed") {
		moved[subject]++
	}
	for n := range mails {
		if moved[strconv.Itoa(n)] != 1 {
			t.Errorf("mail %d was moved %d times", n, moved[strconv.Itoa(n)])
		}
	}
}

// numbered is a mail whose attachment is as large as attached says.
func numbered(n int) string {
	return fmt.Sprintf("From: ana@partner.example\r\nTo: orders@example.com\r\nSubject: %d\r\nMessage-ID: <%d@partner.example>\r\n"+
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b\r\nContent-Type: text/csv; name=a.csv\r\n\r\n%s\r\n--b--\r\n",
		n, n, strings.Repeat("x", attached(n)))
}

func inMailbox(t *testing.T, c *imapclient.Client, mailbox string) int {
	t.Helper()
	is, err := c.Status(mailbox, &imap.StatusOptions{NumMessages: true}).Wait()
	if err != nil {
		t.Fatal(err)
	}
	return int(*is.NumMessages)
}

func subjectsIn(t *testing.T, c *imapclient.Client, mailbox string) (all []string) {
	t.Helper()
	if _, err := c.Select(mailbox, nil).Wait(); err != nil {
		t.Fatal(err)
	}
	var set imap.SeqSet
	set.AddRange(1, 0)
	found, err := c.Fetch(set, &imap.FetchOptions{Envelope: true}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range found {
		all = append(all, m.Envelope.Subject)
	}
	return all
}
