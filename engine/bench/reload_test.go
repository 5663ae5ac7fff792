package bench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	reloadFlows = 200
	loadedFlows = 8    // of these, which are the ones that are edited
	reloadRate  = 1000 // orders a second, over all of them
	edits       = 200  // a third of them mistakes
	editRoom    = 1 << 17
	effectFor   = 20 * time.Second // at most
)

// BenchmarkReload saves files of a daemon with many flows, under steady load. Each
// edit changes one flow, and a third of them are mistakes. "effect" is the time from
// the moment before saving until the http sink has the first order that went through
// the new step; what the daemon says of itself in its log splits it up. A swap waits for
// one commit of the journal, and so does an "answer" to an order. No request may fail,
// and no order be lost or stand twice in the file.
func BenchmarkReload(b *testing.B) {
	for b.Loop() {
		e := newEditing(b)
		for n := range edits {
			e.edit(b, n)
		}
		e.finish(b)
	}
}

// editing is a daemon whose files are edited.
type editing struct {
	sink   *sink
	daemon *process
	conf   string
	seen   chan int // edits, as their first order comes to the sink
	loads  []<-chan outcome
	stop   chan struct{} // ends them

	saved  []time.Time // by edit, mistakes too
	effect []float64   // milliseconds, of those that are none
}

type outcome struct {
	answers
	err error
}

func newEditing(b *testing.B) *editing {
	e := &editing{sink: newSink(b, (loadedFlows+1)*editRoom), seen: make(chan int, edits), stop: make(chan struct{})}
	e.sink.look = e.firsts()
	bin, err := binary()
	if err != nil {
		b.Fatal(err)
	}
	p := process{addr: freeAddr(b), dir: b.TempDir()}
	e.conf = filepath.Join(p.dir, "conf")
	if err := os.Mkdir(e.conf, 0o700); err != nil {
		b.Fatal(err)
	}
	e.write(b, "base.hcl", reloadBase(p.addr, e.sink.addr(), p.dir))
	for i := range reloadFlows {
		e.write(b, flowFile(i), reloadFlow(i, 0))
	}
	e.daemon = start(b, p, nil, bin, "run", "-c", e.conf)
	var paths []string
	for i := range loadedFlows {
		paths = append(paths, fmt.Sprintf("/orders/%d", i))
	}
	e.daemon.await(b, 0, paths...)
	for i, path := range paths {
		e.load(load{
			addr: p.addr, path: path, conns: 4, first: (i + 1) * editRoom, stop: e.stop,
			pause: 4 * loadedFlows * time.Second / reloadRate,
		})
	}
	return e
}

// firsts looks for the first order of each edit.
func (e *editing) firsts() func([]byte) {
	known := make(chan map[int]bool, 1)
	known <- map[int]bool{0: true}
	mark := []byte(`"edit":`)
	return func(body []byte) {
		_, rest, _ := bytes.Cut(body, mark)
		end := bytes.IndexAny(rest, ",}")
		n, err := strconv.Atoi(string(rest[:max(end, 0)]))
		if err != nil {
			return
		}
		set := <-known
		if !set[n] {
			set[n] = true
			e.seen <- n
		}
		known <- set
	}
}

func (e *editing) load(l load) {
	done := make(chan outcome, 1)
	e.loads = append(e.loads, done)
	go func() {
		a, err := l.try()
		done <- outcome{a, err}
	}()
}

func (e *editing) write(b *testing.B, name, text string) {
	if err := os.WriteFile(filepath.Join(e.conf, name), []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
}

// save replaces a file as most editors do, or, every other time, writes over it.
func (e *editing) save(b *testing.B, name, text string) {
	e.saved = append(e.saved, time.Now())
	if len(e.saved)%2 == 0 {
		e.write(b, name, text)
		return
	}
	e.write(b, ".saving", text)
	if err := os.Rename(filepath.Join(e.conf, ".saving"), filepath.Join(e.conf, name)); err != nil {
		b.Fatal(err)
	}
}

// edit saves edit n, which counts from 0, and waits for what becomes of it. A mistake
// is mended by the next edit, which is of the same flow.
func (e *editing) edit(b *testing.B, n int) {
	flow := (n + 1) / 3 % loadedFlows
	text := reloadFlow(flow, n+1)
	if n%3 == 2 {
		e.save(b, flowFile(flow), mistakes[n/3%len(mistakes)](text))
		e.until(b, "mistake refused", func() bool { return bytes.Count(e.log(b), []byte(refusedLine)) == n/3+1 })
		return
	}
	e.save(b, flowFile(flow), text)
	deadline := time.After(effectFor)
	for {
		select {
		case seen := <-e.seen:
			if seen == n+1 {
				e.effect = append(e.effect, milliseconds(time.Since(e.saved[n])))
				return
			}
		case <-deadline:
			b.Fatalf("edit %d has no effect; the daemon printed:\n%s", n+1, e.daemon.printed())
		}
	}
}

// finish ends the load, looks where all orders are, and reports.
func (e *editing) finish(b *testing.B) {
	close(e.stop)
	accepted, refused := loadedFlows, 0 // those that were awaited
	var took time.Duration
	var answered []float64
	for _, done := range e.loads {
		o := <-done
		if o.err != nil {
			b.Error(o.err)
		}
		accepted, refused, took = accepted+o.accepted, refused+o.refused, max(took, o.took)
		for _, l := range o.latency {
			answered = append(answered, milliseconds(l))
		}
	}
	e.sink.await(b, accepted, drainFor)
	e.until(b, "all orders in the file", func() bool { return bytes.Count(e.file(b), []byte("\n")) >= accepted })
	e.daemon.stop(b)
	e.sink.close()
	lost, twice := e.compare(b, accepted)
	if refused+lost+twice > 0 || e.sink.orders.Load() != int64(accepted) {
		b.Errorf("of %d orders %d were refused, %d are not in the file, %d twice; the http sink has %d", accepted, refused, lost, twice, e.sink.orders.Load())
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(accepted)/took.Seconds(), "accepted/s")
	b.ReportMetric(float64(refused), "failed")
	b.ReportMetric(float64(lost), "lost")
	b.ReportMetric(float64(twice), "twice")
	b.ReportMetric(float64(e.sink.repeats.Load()), "http-repeats")
	log := e.log(b)
	for _, m := range []struct {
		name string
		all  []float64
	}{
		{"effect", e.effect}, {"debounce", e.debounces(b, log)},
		{"read", durations(b, log, "read")}, {"commit", durations(b, log, "commit")}, {"swap", durations(b, log, "swap")}, {"answer", answered},
	} {
		slices.Sort(m.all)
		b.ReportMetric(middle(m.all), m.name+"-p50-ms")
		b.ReportMetric(m.all[len(m.all)*99/100], m.name+"-p99-ms")
	}
}

// compare tells how many orders the file lacks, and has more than once.
func (e *editing) compare(b *testing.B, accepted int) (lost, twice int) {
	have := map[int]bool{}
	for line := range bytes.Lines(e.file(b)) {
		n, ok := orderNumber(line)
		if !ok {
			b.Fatalf("the file has a line without an order: %s", line)
		}
		if have[n] {
			twice++
		}
		have[n] = true
	}
	return accepted - len(have), twice
}

func (e *editing) file(b *testing.B) []byte {
	return read(b, filepath.Join(e.daemon.dir, "out.ndjson"))
}
func (e *editing) log(b *testing.B) []byte { return read(b, e.daemon.log) }

func read(b *testing.B, path string) []byte {
	text, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	return text
}

// until polls another process.
func (e *editing) until(b *testing.B, what string, cond func() bool) {
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for deadline := time.After(effectFor); !cond(); {
		select {
		case <-again.C:
		case <-deadline:
			b.Fatalf("not within %s: %s; the daemon printed:\n%s", effectFor, what, e.daemon.printed())
		}
	}
}

const refusedLine = "the configuration is not taken over"

var noticed = regexp.MustCompile(`(?m)^time=(\S+) .*msg="files have changed`)

// debounces are the times from each save until the daemon began to read, in whole
// milliseconds, as the log has them.
func (e *editing) debounces(b *testing.B, log []byte) []float64 {
	var all []float64
	for i, m := range noticed.FindAllSubmatch(log, -1) {
		at, err := time.Parse(time.RFC3339Nano, string(m[1]))
		if err != nil || i >= len(e.saved) {
			b.Fatalf("%d saves, but the log has this, too: %s %v", len(e.saved), m[0], err)
		}
		all = append(all, milliseconds(at.Sub(e.saved[i])))
	}
	return all
}

// durations are those of reloads under a key of the log, in milliseconds.
func durations(b *testing.B, log []byte, key string) []float64 {
	var all []float64
	for _, m := range regexp.MustCompile(`msg="configuration taken over".* `+key+`=(\S+)`).FindAllSubmatch(log, -1) {
		d, err := time.ParseDuration(string(m[1]))
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, milliseconds(d))
	}
	return all
}

func flowFile(i int) string { return fmt.Sprintf("flow%d.hcl", i) }

func reloadBase(addr, sink, dir string) string {
	return fmt.Sprintf(`
daemon { state_dir = "state" }
listener "http" "in" { address = %q }
connection "http" "out" { base_url = "http://%s" }
sink "http" "out" {
  connection  = connection.http.out
  path        = "/"
  concurrency = 16
}
sink "files" "out" {
  path = %q
  format "ndjson" {}
}
`, addr, sink, filepath.Join(dir, "out.ndjson"))
}

// reloadFlow is flow i as edit n leaves it; no other has its expressions.
func reloadFlow(i, n int) string {
	steps := strings.Replace(orderMap, "\n  }", fmt.Sprintf(`
    edit       = %d
    bucket     = "(body.customer.number + %d) %% %d"
    shop       = "body.channel in ['web', 'app'] ? 'shop %[2]d' : 'other'"
  }`, n, i, i+7), 1)
	return fmt.Sprintf(`
source "webhook" "orders%[1]d" {
  path = "/orders/%[1]d"
  verify "none" {}
}
flow "orders%[1]d" {
  from = source.webhook.orders%[1]d
%[2]s
  to = [sink.http.out, sink.files.out]
}
`, i, steps)
}

// mistakes are what an edit may be instead: none of them may be taken over.
var mistakes = []func(string) string{
	func(s string) string { return strings.Replace(s, "body.id", "boddy.id", 1) },
	func(s string) string { return s[:len(s)/2] },
	func(s string) string { return strings.Replace(s, "sink.http.out,", "sink.http.gone,", 1) },
	func(s string) string { return strings.Replace(s, `path = "/orders/`, `path = "/orders/199/../`, 1) },
	func(s string) string { return strings.Replace(s, "lower(", "lowre(", 1) },
}
