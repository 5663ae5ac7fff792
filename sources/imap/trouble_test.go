package imap

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/mail/dovecottest"
	"github.com/syncd/syncd/engine/connect/sftp/sshdtest"
)

func through(t testing.TB, at server) (*sshdtest.Proxy, server) {
	p := sshdtest.NewProxy(t, net.JoinHostPort(at.host, itoa(at.port)))
	at.host, at.port = p.Host, p.Port
	return p, at
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	at, user := inMemory(t)
	deliver(t, user, "INBOX", letter("one"))
	at.password = "guessed-wrongly"
	r := run(t, at, newMemory(), nil)
	until(t, "the login is refused", func() bool { return strings.Contains(r.Report().Error, `refuses "ana"`) })
	is := r.Report()
	if wait := time.Until(is.Next); wait < 20*time.Second || strings.Contains(is.Error+r.log.String(), "guessed") {
		t.Errorf("tried again in %s: %s", wait, is.Error)
	}
}

func TestFrozenServer(t *testing.T) {
	t.Parallel()
	at, user := inMemory(t)
	proxy, at := through(t, at)
	at.timeout = time.Second
	m := newMemory()
	r := run(t, at, m, func(c *Config) { c.Every = 200 * time.Millisecond })
	deliver(t, user, "INBOX", letter("one"))
	r.settled(m, "INBOX", 1)
	proxy.Freeze()
	until(t, "the silence is noticed", func() bool { return strings.Contains(r.Report().Error, "no answer for 1s") })
	deliver(t, user, "INBOX", letter("two"))
	proxy.Thaw()
	r.settled(m, "INBOX", 2)
	until(t, "all is well again", func() bool { return r.Report().Error == "" })
}

func TestCutConnections(t *testing.T) {
	t.Parallel()
	at, user := inMemory(t)
	proxy, at := through(t, at)
	m := newMemory()
	r := run(t, at, m, func(c *Config) { c.Every = 50 * time.Millisecond })
	const mails = 300
	for n := range mails {
		deliver(t, user, "INBOX", letter(fmt.Sprintf("mail-%03d", n), "X-Fill: "+strings.Repeat("x", 2000)+"\r\n"))
		if n%60 == 30 {
			proxy.CutAfter(int64(n * 50))
		}
	}
	until(t, "all are read", func() bool {
		_ = r.Trigger()
		return len(m.subjects()) >= mails
	})
	r.settled(m, "INBOX", mails)
	if got := len(slices.Compact(slices.Sorted(slices.Values(m.subjects())))); got != mails {
		t.Errorf("%d different ones, want %d", got, mails)
	}
	if proxy.Cuts() == 0 {
		t.Error("nothing was cut")
	}
}

func TestJournalIsFull(t *testing.T) {
	t.Parallel()
	at, user := inMemory(t)
	deliver(t, user, "INBOX", letter("one"))
	m := newMemory()
	m.err = func(accept int) error {
		if accept <= 2 {
			return &component.LaterError{Reason: "disk full", After: time.Millisecond}
		}
		return nil
	}
	r := run(t, at, m, nil)
	r.settled(m, "INBOX", 1)
	if r.Report().Error != "" {
		t.Errorf("that is no failure: %+v", r.Report())
	}
}

// The server forgets its UIDs twice, and a mail is delivered a second time meanwhile.
func TestUIDValidityChanges(t *testing.T) {
	t.Parallel()
	d, at := dovecot(t, dovecottest.Options{})
	c := client(t, d)
	for n := range 300 {
		put(t, c, "INBOX", letter(fmt.Sprintf("mail-%03d", n)))
	}
	m := newMemory()
	r := run(t, at, m, nil)
	r.settled(m, "INBOX", 300)
	r.stop()
	want := m.subjects()
	for n := range 2 {
		before := m.place(t, "INBOX")
		forgetUIDs(t, d, before.Validity)
		name := fmt.Sprintf("new-%d", n)
		put(t, client(t, d), "INBOX", letter(name), letter("mail-007"))
		want = append(want, name, "mail-007")
		if n == 0 { // killed in the middle of it
			m.err = func() func(int) error {
				left := 2
				return func(int) error {
					if left--; left < 0 {
						return errKilled
					}
					return nil
				}
			}()
			s := newSource(t, at, m, &lines{}, nil)
			if err := s.Run(t.Context(), m); err == nil {
				t.Error("the intake's error was not told")
			}
			m.err = nil
			if p := m.place(t, "INBOX"); len(p.Was) != 1 || p.UID == 0 || p.Validity == before.Validity {
				t.Fatalf("in the middle: %+v", p)
			}
		}
		r = run(t, at, m, nil)
		r.settled(m, "INBOX", len(want))
		r.stop()
		if p := m.place(t, "INBOX"); p.Validity == before.Validity {
			t.Fatalf("UIDVALIDITY is still %d", p.Validity)
		}
	}
	got := m.subjects()
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if keys := m.keys(); len(keys) != 1+304/perPage+1 {
		t.Errorf("pages of before are still there: %q", keys)
	}
}

var errKilled = errors.New("killed")

// forgetUIDs has Dovecot make new UIDs for all mails.
func forgetUIDs(t testing.TB, d *dovecottest.Server, validity uint32) {
	t.Helper()
	for range 20 {
		files, _ := filepath.Glob(filepath.Join(d.Dir, "mail", "dovecot*"))
		for _, f := range files {
			if err := os.Remove(f); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
		}
		c := d.Client()
		is, err := c.Select("INBOX", nil).Wait()
		c.Close()
		if err != nil {
			t.Fatal(err)
		}
		if is.UIDValidity != validity {
			return
		}
		<-time.After(200 * time.Millisecond) // it is made of the time
	}
	t.Fatal("Dovecot keeps its UIDVALIDITY")
}

// Copied, but not known to be, when the daemon was killed.
func TestCopyInDoubt(t *testing.T) {
	t.Parallel()
	for _, arrived := range []bool{true, false} {
		t.Run(fmt.Sprint(arrived), func(t *testing.T) {
			d, at := dovecot(t, dovecottest.Options{Capability: "IMAP4rev1 IDLE UIDPLUS LITERAL+"})
			c := client(t, d)
			put(t, c, "INBOX", letter("one"), letter("two"))
			if err := c.Create("Processed", nil).Wait(); err != nil {
				t.Fatal(err)
			}
			m := newMemory()
			move := func(c *Config) { c.After = &After{Move: "Processed"} }
			m.err = func(accept int) error {
				if accept == 3 { // that they were copied
					return errKilled
				}
				return nil
			}
			s := newSource(t, at, m, &lines{}, move)
			if err := s.Run(t.Context(), m); err == nil {
				t.Fatal("the intake's error was not told")
			}
			m.err = nil
			if p := m.place(t, "INBOX"); p.Copying.String() != "1:2" {
				t.Fatalf("%+v", p)
			}
			if !arrived {
				if _, err := c.Select("Processed", nil).Wait(); err != nil {
					t.Fatal(err)
				}
				var all imap.SeqSet
				all.AddRange(1, 0)
				if err := c.Store(all, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close(); err != nil {
					t.Fatal(err)
				}
				if err := c.Expunge().Close(); err != nil {
					t.Fatal(err)
				}
			}
			run(t, at, m, move).settled(m, "INBOX", 2)
			if diff := cmp.Diff([]string{"one", "two"}, inMailbox(t, c, "Processed")); diff != "" {
				t.Error(diff)
			}
			if got := inMailbox(t, c, "INBOX"); len(got) > 0 {
				t.Errorf("left: %q", got)
			}
		})
	}
}
