//go:build linux

package faults

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/smtp"
	"net/textproto"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// floodConf looks into each mail twice: for its id, and in its flow.
const floodConf = `
source "webhook" "none" {
  path = "/none"
  verify "none" {}
}
source "smtp" "in" {
  address    = %q
  recipients = ["orders+{n}@in.example.com"]
  id         = "body.message_id"
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

// Many large mails at once: what does not fit is told to come later, each that was
// acknowledged is there once, and memory does not grow with the number of senders.
func TestFloodOfLargeMails(t *testing.T) {
	const senders = 12
	dir := t.TempDir()
	address := freeAddress(t)
	configure(t, dir, fmt.Sprintf(floodConf, address))
	d := launch(t, dir)
	attachment := bytes.Repeat([]byte("0123456789abcdef"), 17<<16) // 17 MiB, as base64 in lines 23
	text := strings.ReplaceAll(wrapped(base64.StdEncoding.EncodeToString(attachment)), "\n", "\r\n")
	var mu sync.Mutex
	acknowledged := map[int]bool{}
	later := 0
	var group sync.WaitGroup
	for n := range senders {
		group.Go(func() {
			err := sendLarge(address, n, text)
			var answer *textproto.Error
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				acknowledged[n] = true
			case errors.As(err, &answer) && answer.Code == 452:
				later++
			default:
				t.Errorf("mail %d: %v", n, err)
			}
		})
	}
	group.Wait()
	d.drained()
	peak := d.peak()
	d.stop()
	t.Logf("%d acknowledged, %d told to come later, peak %d MiB", len(acknowledged), later, peak>>20)
	if len(acknowledged) < 8 {
		t.Errorf("%d of %d mails were taken: max_in_flight has room for more", len(acknowledged), senders)
	}
	counts := fileCounts(t, filepath.Join(dir, "out.ndjson"))
	for n := range senders {
		if acknowledged[n] && counts[n] != 1 || !acknowledged[n] && counts[n] > 0 {
			t.Errorf("mail %d, acknowledged: %v, is there %d times", n, acknowledged[n], counts[n])
		}
	}
	if raceFlags == nil && peak > maxMailPeak {
		t.Errorf("peak memory %d MiB", peak>>20)
	}
}

// maxMailPeak is what one mail takes on its way to the disk, and one on its way through a flow.
const maxMailPeak = 320 << 20

// wrapped has lines of 76 characters, as mails have them.
func wrapped(text string) string {
	var b strings.Builder
	for ; len(text) > 76; text = text[76:] {
		b.WriteString(text[:76] + "\n")
	}
	return b.String() + text
}

func sendLarge(address string, n int, attachment string) error {
	c, err := smtp.Dial(address)
	if err != nil {
		return err
	}
	defer c.Close()
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
	fmt.Fprintf(w, "From: ana@partner.example\r\nMessage-ID: <%d@partner.example>\r\nContent-Type: application/octet-stream; name=a.bin\r\n"+
		"Content-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n%s", n, attachment)
	return w.Close()
}
