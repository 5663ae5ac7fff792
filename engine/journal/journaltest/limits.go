package journaltest

import (
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncd/syncd/engine/journal"
)

func backlog(t *testing.T, h Harness) {
	b := open(t, h)
	small := flow("orders", "crm", "erp")
	small.Backlog = 5000
	other := journal.Flow{Name: "other", Sources: []string{"source.webhook.b"}, Sinks: []string{"crm"}, Backlog: 5000}
	b.configure(small, other)
	send := func(source string) error {
		r := record(1)
		r.Payload.Raw = []byte(strings.Repeat("x", 1000))
		_, err := b.Append(t.Context(), journal.Append{Source: source, Records: []journal.Record{r}})
		return err
	}
	n := journal.Position(0)
	for ; n < 20 && send(shop) == nil; n++ {
	}
	if n < 4 || n > 6 {
		t.Fatalf("%d events of 1000 bytes were taken at a backlog of 5000", n)
	}
	if l := b.later(send(shop)); !strings.Contains(l.Reason, "orders") {
		t.Errorf("the reason does not name the flow: %s", l.Reason)
	}
	b.ok(send("source.webhook.b"))
	b.reopen(true)
	b.configure(small, other)
	b.later(send(shop))
	b.settle(crm, journal.Delivered, upTo(n)...)
	b.settle(steps, journal.Nothing, upTo(n)...)
	b.later(send(shop))
	b.settle(erp, journal.Delivered, upTo(n-1)...)
	b.ok(send(shop))
	b.configure(flow("orders", "crm", "erp"))
	for range 10 {
		b.ok(send(shop))
	}
}

func retention(t *testing.T, h Harness) {
	b := openWith(t, h, Settings{Retention: time.Minute})
	b.configure(flow("orders", "crm"))
	b.add(shop, 3)
	b.add("source.webhook.unrouted", 2)
	time.Sleep(2 * time.Minute)
	b.add(shop, 2)
	b.settle(crm, journal.Delivered, upTo(5)...)
	b.settle(steps, journal.Nothing, upTo(5)...)
	b.reopen(false)
	b.configure(flow("orders", "crm"))
	time.Sleep(5 * time.Second)
	synctest.Wait()
	b.reopen(false) // memory would still serve what the disk has forgotten
	oldest := flow("late", "crm")
	oldest.Oldest = true
	p := b.configure(flow("orders", "crm"), oldest)
	b.equal("oldest kept", b.progressOf(p, journal.Lane{Flow: "late", Sink: "crm"}, shop).Low, journal.Position(3))
	frames, err := b.Read(t.Context(), shop, 0, 1<<20)
	b.ok(err)
	b.equal("first frame", frames[0].First, journal.Position(4))
	frames, err = b.Read(t.Context(), "source.webhook.unrouted", 0, 1<<20)
	b.ok(err)
	b.equal("frames nobody takes", len(frames), 0)
}

func retentionKeeps(t *testing.T, h Harness) {
	b := openWith(t, h, Settings{Retention: time.Minute})
	b.configure(flow("orders", "crm", "erp"))
	want := b.add(shop, 4)
	b.settle(steps, journal.Nothing, upTo(4)...)
	b.settle(crm, journal.Delivered, upTo(4)...)
	b.configure(flow("orders", "crm"))
	time.Sleep(time.Hour)
	synctest.Wait()
	b.reopen(true)
	b.equal("what an orphan has before it", b.all(shop, 0), want, same)
	b.configure(flow("orders", "crm"))
	b.ok(b.DropLane(t.Context(), erp))
	time.Sleep(time.Minute)
	synctest.Wait()
	b.reopen(true)
	b.equal("after the orphan was dropped", len(b.all(shop, 0)), 0)
	b.equal("account", b.flowStats("orders"), sum(4, 0, 0, 0, 4, 0))
}

func accountsOutlive(t *testing.T, h Harness) {
	b := openWith(t, h, Settings{Retention: time.Minute})
	b.configure(flow("orders", "crm", "erp"))
	b.add(shop, 6)
	b.settle(steps, journal.Nothing, upTo(6)...)
	s := settlement(crm, journal.Delivered, 1, 2, 3)
	s.Outcomes = append(s.Outcomes, settlement(crm, journal.Nothing, 4, 5, 6).Outcomes...)
	s.Failed = []journal.Exception{exception(1, "/0", true), exception(4, "", true), exception(6, "", true)}
	b.ok(b.Settle(t.Context(), s))
	b.settle(erp, journal.Nothing, upTo(6)...)
	wait := func() {
		time.Sleep(time.Hour)
		synctest.Wait()
	}
	wait()
	want := sum(6, 2, 1, 3, 0, 0)
	b.equal("account", b.flowStats("orders"), want)
	b.reopen(true)
	b.equal("after a kill", b.flowStats("orders"), want)
	b.equal("statuses of an exception's event", b.statuses("orders", 4), map[string]journal.Status{"": 1, "crm": journal.Nothing | journal.Excepted, "erp": 1})
	b.equal("statuses of others", len(b.statuses("orders", 2)), 0)
	b.configure(flow("orders", "crm", "erp"))
	b.ok(b.Settle(t.Context(), journal.Settlement{Lane: crm, Resolved: []journal.Resolution{{Key: s.Failed[0].Key, Status: journal.Nothing}, {Key: s.Failed[1].Key, Status: journal.Delivered}}}))
	b.equal("resolved", b.flowStats("orders"), sum(6, 4, 1, 1, 0, 0))
	_, err := b.Drop(t.Context(), b.exceptions(journal.ExceptionQuery{})[0].ID)
	b.ok(err)
	b.equal("dropped", b.flowStats("orders"), sum(6, 4, 1, 0, 1, 0))
	wait()
	b.equal("long after", b.flowStats("orders"), sum(6, 4, 1, 0, 1, 0))
}

func maxSize(t *testing.T, h Harness) {
	b := openWith(t, h, Settings{Retention: time.Hour, MaxSize: 8 << 20})
	b.configure(flow("orders", "crm"))
	noise := rand.NewChaCha8([32]byte{1})
	n := journal.Position(0)
	send := func() error {
		r := record(1)
		r.Payload.Raw = make([]byte, 256<<10)
		noise.Read(r.Payload.Raw)
		_, err := b.Append(t.Context(), journal.Append{Source: shop, Records: []journal.Record{r}})
		if err == nil {
			n++
		}
		return err
	}
	for range 100 {
		if err := send(); err != nil {
			b.later(err)
			break
		}
		time.Sleep(time.Second)
	}
	if n < 20 || n > 40 {
		t.Fatalf("%d events of 256 KiB were taken at a limit of 8 MiB", n)
	}
	s, err := b.Stats(t.Context())
	b.ok(err)
	if s.Full == "" {
		t.Error("Stats does not say why nothing is accepted")
	}
	b.equal("unsettled events stay", len(b.all(shop, 0)), int(n))
	b.settle(steps, journal.Nothing, upTo(n)...)
	b.settle(crm, journal.Delivered, upTo(n)...)
	time.Sleep(10 * time.Second)
	for range 100 {
		b.ok(send())
		b.settle(steps, journal.Nothing, n)
		b.settle(crm, journal.Delivered, n)
		time.Sleep(time.Second)
	}
	s, err = b.Stats(t.Context())
	b.ok(err)
	b.equal("full", s.Full, "")
	if s.Bytes > 24<<20 {
		t.Errorf("the journal takes %d bytes", s.Bytes)
	}
}

func changedLimits(t *testing.T, h Harness) {
	b := openWith(t, h, Settings{Retention: time.Hour})
	b.configure(flow("orders", "crm"))
	noise := rand.NewChaCha8([32]byte{2})
	send := func() error {
		r := record(1)
		r.Payload.Raw = make([]byte, 256<<10)
		noise.Read(r.Payload.Raw)
		_, err := b.Append(t.Context(), journal.Append{Source: shop, Records: []journal.Record{r}})
		return err
	}
	for range 10 {
		b.ok(send())
	}
	b.SetLimits(1<<20, time.Hour)
	if l := b.later(send()); !strings.Contains(l.Reason, "1MiB") {
		t.Errorf("the reason does not name the limit: %s", l.Reason)
	}
	b.SetLimits(2<<20, time.Hour)
	b.later(send())
	b.SetLimits(64<<20, time.Hour)
	b.ok(send())
	b.SetLimits(1<<20, time.Hour)
	b.later(send())
	b.SetLimits(0, time.Hour)
	b.ok(send())

	b.settle(steps, journal.Nothing, upTo(12)...)
	b.settle(crm, journal.Delivered, upTo(12)...)
	time.Sleep(2 * time.Minute)
	b.SetLimits(0, time.Minute)
	time.Sleep(5 * time.Second)
	synctest.Wait()
	b.settings.Retention = time.Hour
	b.reopen(false)
	b.equal("kept after the shorter retention", len(b.all(shop, 0)), 0)
}
