//go:build linux

package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// The webhook is there for the line of its listener, by which launch knows that all runs.
const mailConf = `
source "webhook" "none" {
  path = "/none"
  verify "none" {}
}
source "smtp" "in" {
  address    = %q
  recipients = ["orders+{n}@in.example.com"]
}
sink "files" "out" {
  path = "out.ndjson"
  format "ndjson" {}
}
flow "orders" {
  from = [source.smtp.in, source.webhook.none]
  map {
    n    = "number(meta.params.n)"
    size = "body.attachments[0].size"
  }
  to = [sink.files.out]
}
`

// Killed at random moments while mails come in, many of them between DATA and 250:
// every mail that was acknowledged is there, whole, and none twice.
func TestKilledWithinMails(t *testing.T) {
	kills := 4
	if long {
		kills = 16
	}
	dir := t.TempDir()
	address := freeAddress(t)
	configure(t, dir, fmt.Sprintf(mailConf, address))
	d := launch(t, dir)
	m := &mailing{address: address, acknowledged: map[int]bool{}}
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { m.run(ctx) })
	}
	for k := range kills {
		until(t, "mails are taken", func() bool { return m.count() >= 50*(k+1) })
		<-time.After(rand.N(300 * time.Millisecond)) // the moment is the point
		d.kill()
		d = launch(t, dir)
	}
	stop()
	all.Wait()
	d.drained()
	d.stop()
	t.Logf("%d kills, %d acknowledged, %d broke off", kills, len(m.acknowledged), m.broken)
	if m.broken < kills {
		t.Errorf("%d broke off: no load worth the name", m.broken)
	}
	counts := fileCounts(t, filepath.Join(dir, "out.ndjson"))
	for n := range m.acknowledged {
		if counts[n] != 1 {
			t.Errorf("mail %d was acknowledged and is there %d times", n, counts[n])
		}
	}
	raw, err := os.ReadFile(filepath.Join(dir, "out.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		var row struct{ N, Size int }
		if err := json.Unmarshal([]byte(line), &row); err != nil || row.Size != attached(row.N) {
			t.Errorf("%s: %v, want %d bytes", line, err, attached(row.N))
		}
	}
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

// attached is how large the attachment of mail n is.
func attached(n int) int { return 100 + n%50*997 }

// mailing sends numbered mails and remembers which were acknowledged.
type mailing struct {
	address string

	mu           sync.Mutex
	next, broken int
	acknowledged map[int]bool
}

func (m *mailing) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.acknowledged)
}

func (m *mailing) run(ctx context.Context) {
	for ctx.Err() == nil {
		c, err := smtp.Dial(m.address)
		if err != nil {
			continue // it starts again
		}
		for ctx.Err() == nil && m.one(c) {
		}
		c.Close()
	}
}

// one sends a mail; each has a number of its own, so that none is sent twice.
func (m *mailing) one(c *smtp.Client) bool {
	m.mu.Lock()
	m.next++
	n := m.next
	m.mu.Unlock()
	err := m.send(c, n)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.broken++
		return false
	}
	m.acknowledged[n] = true
	return true
}

func (m *mailing) send(c *smtp.Client, n int) error {
	if err := c.Mail("ana@partner.example"); err != nil {
		return err
	}
	if err := c.Rcpt(fmt.Sprintf("orders+%d@in.example.com", n)); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Subject: %d\r\nContent-Type: text/csv; name=a.csv\r\n\r\n%s", n, strings.Repeat("x", attached(n)-2))
	return w.Close()
}
