package bench

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/syncd/syncd/engine"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/row"
	"github.com/syncd/syncd/sinks"
	"github.com/syncd/syncd/transforms"
)

// rowsEnv has this binary be a daemon whose only source makes records of one shape as
// fast as they are taken: "KIND RECORDS DIR".
const rowsEnv = "SYNCD_BENCH_ROWS"

// BenchmarkRows is many small records on their way through the daemon: from a source
// that has them in memory, so that none of its own work is in the figures, through
// journal, filter and map to lines of JSON. "csv" is rows of ten texts, of which every
// second is kept and mapped with ten expressions; "poll" is JSON objects of six fields,
// in pages of 100, all kept and mapped.
func BenchmarkRows(b *testing.B) {
	for _, c := range []struct {
		kind    string
		records int
		kept    int
	}{{"csv", 1_000_000, 500_000}, {"poll", 300_000, 300_000}} {
		b.Run(c.kind, func(b *testing.B) {
			for b.Loop() {
				var rate, cpu, peak []float64
				for range pairs {
					f := carryRows(b, c.kind, c.records, c.kept)
					rate, cpu, peak = append(rate, f.accepted), append(cpu, f.cpu), append(peak, f.peak)
					b.Logf("%.0f records/s, peak %.0f MiB", f.accepted, f.peak)
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(middle(rate), "records/s")
				b.ReportMetric(middle(cpu), "cpu-ms/1k")
				b.ReportMetric(middle(peak), "peak-MiB")
			}
		})
	}
}

// carryRows runs one such daemon until all is written.
func carryRows(b *testing.B, kind string, records, kept int) figures {
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %s", rowsEnv, kind, records, dir))
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("%v; it printed:\n%s", err, out)
	}
	var seconds, peak float64
	if _, err := fmt.Sscan(string(out), &seconds, &peak); err != nil {
		b.Fatalf("it printed:\n%s", out)
	}
	written, err := countLines(filepath.Join(dir, "out.ndjson"))
	if err != nil || written != kept {
		b.Fatalf("%d records written, want %d (%v)", written, kept, err)
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return figures{
		accepted: float64(records) / seconds,
		cpu:      milliseconds(cpu) / float64(records) * 1000,
		peak:     peak,
	}
}

func countLines(path string) (n int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	buf := make([]byte, 64<<10)
	for {
		got, err := f.Read(buf)
		n += bytes.Count(buf[:got], []byte("\n"))
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// serveRows is main of such a daemon. It prints how many seconds it took and the most
// memory that it has held, in MiB, and does not return.
func serveRows(spec string) {
	var kind, dir string
	var records int
	if _, err := fmt.Sscan(spec, &kind, &records, &dir); err != nil {
		fail(err)
	}
	if f := os.Getenv(rowsEnv + "_PROFILE"); f != "" {
		w, err := os.Create(f)
		if err != nil {
			fail(err)
		}
		pprof.StartCPUProfile(w)
	}
	path := filepath.Join(dir, "syncd.hcl")
	if err := os.WriteFile(path, []byte(rowsConfig(kind, dir)), 0o600); err != nil {
		fail(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	source := &rows{kind: kind, left: records, all: make(chan struct{})}
	read := func(path string) *config.Reading { return config.Open(path, source.kinds(), config.Options{}) }
	r := read(path)
	if r.Config == nil {
		fail(fmt.Errorf("%v", r.Diagnostics))
	}
	began := time.Now()
	go func() {
		<-source.all
		awaitLines(filepath.Join(dir, "out.ndjson"), records, kind)
		took := time.Since(began)
		status, err := os.ReadFile("/proc/self/status")
		if err != nil {
			fail(err)
		}
		fmt.Println(took.Seconds(), mebibytes(status, "VmHWM:"))
		stop()
	}()
	err := engine.Run(ctx, r, engine.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Config: path, Read: read})
	pprof.StopCPUProfile()
	if err != nil {
		fail(err)
	}
	os.Exit(0)
}

// awaitLines returns when the last record stands in the file.
func awaitLines(path string, records int, kind string) {
	last := records
	if kind == "csv" {
		last = records - 1
	}
	for end := []byte(fmt.Sprintf(`"id":%d,`, last)); ; time.Sleep(time.Millisecond) {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		tail := make([]byte, 4096)
		size, _ := f.Seek(0, io.SeekEnd)
		n, _ := f.ReadAt(tail, max(0, size-int64(len(tail))))
		f.Close()
		if bytes.Contains(tail[:n], end) {
			return
		}
	}
}

// csvSteps keep every second row.
const csvSteps = `
  filter { when = "body.status == 'active'" }
  map {
    id         = "number(body.order_id)"
    name       = "body.customer"
    email      = "lower(body.email)"
    country    = "body.country"
    qty        = "number(body.quantity)"
    price      = "number(body.unit_price)"
    discount   = "number(body.discount)"
    total      = "number(body.quantity) * number(body.unit_price) * (1 - number(body.discount))"
    ordered_at = "body.ordered_at"
    comment    = "body.comment"
  }`

func rowsConfig(kind, dir string) string {
	steps := csvSteps
	if kind == "poll" {
		steps = `
  map {
    id      = "body.id"
    name    = "body.name"
    email   = "lower(body.email)"
    plan    = "body.plan"
    balance = "body.balance"
  }`
	}
	return fmt.Sprintf(`
daemon { state_dir = "%[1]s/state" }
source "rows" "in" {}
sink "files" "out" {
  path = "%[1]s/out.ndjson"
  format "ndjson" {}
}
flow "import" {
  from = source.rows.in
%[2]s
  to = sink.files.out
}
`, dir, steps)
}

// rows is a source that makes records.
type rows struct {
	kind string
	made int
	left int
	size int // of a page
	// begun is called when the first record is about to be handed in. With it, all
	// pages have been made by then.
	begun func()
	all   chan struct{}
}

type rowsSettings struct{}

func (r *rows) kinds() []component.Kind {
	kind := component.SourceKind("rows", "Makes records.", func() *rowsSettings { return &rowsSettings{} },
		func(component.Env, *rowsSettings) (component.Source, error) { return r, nil })
	return append(append(transforms.Kinds(), sinks.Kinds()...), kind)
}

func (r *rows) Run(ctx context.Context, in component.Intake) error {
	var batches iter.Seq[component.Batch] = r.batches
	if r.begun != nil {
		batches = slices.Values(slices.Collect(r.batches))
		r.begun()
	}
	for b := range batches {
		if _, err := in.Accept(ctx, b); err != nil {
			return err
		}
	}
	close(r.all)
	<-ctx.Done()
	return ctx.Err()
}

// batches are those of all records.
func (r *rows) batches(yield func(component.Batch) bool) {
	chunk := r.csv
	if r.kind == "poll" {
		chunk = r.page
	}
	for r.left > 0 {
		if !yield(component.Batch{Drafts: chunk(), State: []component.Put{{Key: "position", Value: r.made}}}) {
			return
		}
	}
}

var rowNames = []string{"order_id", "customer", "email", "country", "status", "quantity", "unit_price", "discount", "ordered_at", "comment"}

// csv is the next 1,000 rows. As from a reader, all values of a row are parts of one text.
func (r *rows) csv() []component.Draft {
	drafts := make([]component.Draft, 0, 1000)
	values := make([]any, 0, 1000*len(rowNames))
	texts := make([]string, 0, cap(values))
	for range min(cap(drafts), r.left) {
		line := csvRow(r.made)
		r.made++
		r.left--
		first := len(values)
		for range rowNames {
			var value string
			value, line, _ = strings.Cut(line, "|")
			texts = append(texts, value)
			values = append(values, row.Text(&texts[len(texts)-1]))
		}
		drafts = append(drafts, component.Draft{
			Names: rowNames, Values: values[first:len(values):len(values)],
			RawMeta: fmt.Appendf(nil, `{"file":{"name":"orders.csv","path":"in/orders.csv"},"row":%d}`, r.made),
		})
	}
	return drafts
}

func csvRow(i int) string {
	b := make([]byte, 0, 192)
	number := func(n, width int) {
		digits := strconv.Itoa(n)
		b = append(append(b, "00000000"[:max(width-len(digits), 0)]...), digits...)
	}
	number(i+1, 0)
	b = append(b, "|Customer "...)
	number(i%100_000, 6)
	b = append(b, "|User"...)
	number(i%100_000, 6)
	b = append(b, "@Example.test|"...)
	b = append(b, []string{"DE", "FR", "GB", "US", "NL"}[i%5]...)
	b = append(b, []string{"|active|", "|closed|"}[i%2]...)
	number(1+i%9, 0)
	b = append(b, '|')
	number(5+i%200, 0)
	b = append(b, '.')
	number(i%100, 2)
	b = append(b, "|0."...)
	number(i%30, 2)
	b = append(b, "|2026-01-"...)
	number(1+i%28, 2)
	b = append(b, "T10:"...)
	number(i%60, 2)
	b = append(b, ":00Z|standard delivery"...)
	return string(b)
}

// page is the next records of an API, 100 unless it is said how many.
func (r *rows) page() []component.Draft {
	drafts := make([]component.Draft, 0, cmp.Or(r.size, 100))
	for range min(cap(drafts), r.left) {
		r.made++
		r.left--
		n := r.made
		drafts = append(drafts, component.Draft{
			ContentType: "application/json",
			Raw: fmt.Appendf(nil, `{"id":%d,"name":"Customer %d","email":"C%d@example.test","plan":"%s","balance":%d.%02d,"active":%t}`,
				n, n, n, []string{"free", "pro", "team"}[n%3], n%1000, n%100, n%2 == 0),
			RawMeta: []byte(`{"page":1}`),
		})
	}
	return drafts
}
