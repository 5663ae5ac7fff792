package smtp

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// large is a mail of about size bytes, whose lines differ.
func large(subject string, size int) string {
	var b strings.Builder
	b.WriteString(plain(subject))
	for n := 0; b.Len() < size; n++ {
		fmt.Fprintf(&b, "%s %d %s\r\n", subject, n, strings.Repeat("x", n%70))
	}
	return b.String()
}

// A mail that waited in a file is what was sent, also where several do so at once.
func TestLargeMailsArriveAsTheyWere(t *testing.T) {
	r := run(t, newPorts(), nil)
	sizes := []int{inMemory - 1000, inMemory, inMemory + 1, inMemory + spoolRoom, 3*inMemory + 17}
	want := map[string]bool{}
	var all sync.WaitGroup
	for i, size := range sizes {
		mail := large(fmt.Sprintf("size%d", i), size)
		want[strings.ReplaceAll(mail, "\r\n..", "\r\n.")] = true
		all.Go(func() { greeted(t, r.addr()).mail("orders@in.example.com", strings.TrimSuffix(mail, "\r\n"), "250") })
	}
	all.Wait()
	if len(r.memory.batches) != len(sizes) {
		t.Fatalf("%d mails, want %d", len(r.memory.batches), len(sizes))
	}
	for _, drafts := range r.memory.batches {
		raw := string(drafts[0].Raw)
		if !want[raw] {
			t.Errorf("%d bytes that nobody sent: %.80q … %.80q", len(raw), raw, raw[len(raw)-80:])
		}
		delete(want, raw)
	}
}

// A file that cannot be made, or has no room, is the sender's to wait for: nothing is
// stored, and small mails pass.
func TestNoRoomForLargeMails(t *testing.T) {
	for name, spool := range map[string]func() (*os.File, error){
		"none":      func() (*os.File, error) { return nil, syscall.ENOSPC },
		"disk full": func() (*os.File, error) { return os.OpenFile("/dev/full", os.O_RDWR, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t, newPorts(), nil, func(s *source) { s.env.Spool = spool })
			p := greeted(t, r.addr())
			p.mail("orders@in.example.com", large("one", 2*inMemory), "452 4.3.1")
			p.mail("orders@in.example.com", plain("two"), "250")
			if events, refused := r.memory.counts(); events != 1 || refused != 1 {
				t.Errorf("%d events, %d refused", events, refused)
			}
		})
	}
}

// Half a line end is found wherever it stands in a mail that goes to a file.
func TestSmugglersInLargeMails(t *testing.T) {
	for _, bare := range []string{"\n", "\r"} {
		r := run(t, newPorts(), nil)
		p := greeted(t, r.addr())
		p.say("MAIL FROM:<ana@partner.example>", "250")
		p.say("RCPT TO:<orders@in.example.com>", "250")
		p.send(chunk(large("one", 2*inMemory)+"a"+bare+"b\r\n", " LAST"))
		p.expect("550 5.5.2")
		p.ended()
		if events, _ := r.memory.counts(); events != 0 {
			t.Errorf("%q: %d events", bare, events)
		}
	}
}

func TestLineEnds(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "a\r\nb\r\n": "", "\r\n\r\n": "",
		"\na": "bare line feed", "a\nb": "bare line feed", "a\r\n\n": "bare line feed",
		"a\rb": "bare carriage return", "a\r": "bare carriage return", "a\r\r\n": "bare carriage return",
	} {
		for cut := range len(text) + 1 {
			var e lineEnds
			e.see([]byte(text[:cut]))
			e.see([]byte(text[cut:]))
			if got := e.bare(); got != want {
				t.Errorf("%q cut at %d: %q, want %q", text, cut, got, want)
			}
		}
	}
}
