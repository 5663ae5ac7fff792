package bench

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// importEnv has this binary do by itself what BenchmarkImport has the daemon do, as
// plainly as it can be written, on one processor and with nothing kept on the way:
// "FROM TO".
const importEnv = "SYNCD_BENCH_IMPORT"

const (
	importRows = 1_000_000 // of which every second one is kept
	importName = "orders.csv"
)

// BenchmarkImport is a file of a million rows, 100 MB of CSV, of which every second
// row is kept, mapped with ten expressions, and written as a line of JSON; beside a
// plain loop over encoding/csv and encoding/json. From the start of each process
// until the last line stands in the file.
func BenchmarkImport(b *testing.B) {
	dir := b.TempDir()
	from := filepath.Join(dir, importName)
	if err := writeOrders(from, importRows); err != nil {
		b.Fatal(err)
	}
	if _, err := binary(); err != nil { // which is built at the first use
		b.Fatal(err)
	}
	for b.Loop() {
		our, their := alternate(b, func() figures { return importWithDaemon(b, dir) }, func() figures { return importPlainly(b, from) })
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(median(our, accepted), "rows/s")
		b.ReportMetric(median(our, func(f figures) float64 { return f.cpu }), "cpu-ms/1k")
		b.ReportMetric(median(our, func(f figures) float64 { return f.peak }), "peak-MiB")
		b.ReportMetric(median(their, accepted), "plain-rows/s")
		b.ReportMetric(median(their, func(f figures) float64 { return f.cpu }), "plain-cpu-ms/1k")
		b.ReportMetric(ratio(our, their, accepted), "of-plain")
	}
}

func importWithDaemon(b *testing.B, from string) figures {
	b.Helper()
	began := time.Now()
	p := runDaemon(b, "", "", importConfig(from))
	defer p.stop(b)
	awaitLines(filepath.Join(p.dir, "out.ndjson"), importRows, "csv")
	took := time.Since(began)
	wantLines(b, filepath.Join(p.dir, "out.ndjson"))
	u := p.usage(b)
	return importFigures(took, u.cpu, u.peak)
}

func importFigures(took, cpu time.Duration, peak float64) figures {
	rate := importRows / took.Seconds()
	return figures{accepted: rate, sustained: rate, cpu: milliseconds(cpu) / importRows * 1000, peak: peak}
}

func wantLines(b *testing.B, path string) {
	b.Helper()
	if n, err := countLines(path); err != nil || n != importRows/2 {
		b.Fatalf("%d lines, want %d (%v)", n, importRows/2, err)
	}
}

func importConfig(from string) string {
	return fmt.Sprintf(`
daemon { state_dir = "state" }
source "files" "orders" {
  path   = %q
  match  = %q
  settle = "0s"
  format "csv" {}
}
sink "files" "out" {
  path = "out.ndjson"
  format "ndjson" {}
}
flow "import" {
  from = source.files.orders
%s
  to = sink.files.out
}
`, from, importName, csvSteps)
}

func importPlainly(b *testing.B, from string) figures {
	b.Helper()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	to := filepath.Join(dir, "out.ndjson")
	began := time.Now()
	p := start(b, process{dir: dir}, []string{importEnv + "=" + from + " " + to, "GOMAXPROCS=1"}, self)
	<-p.exited
	took := time.Since(began)
	if !p.cmd.ProcessState.Success() {
		b.Fatalf("it printed:\n%s", p.printed())
	}
	wantLines(b, to)
	s := p.cmd.ProcessState
	peak := float64(s.SysUsage().(*syscall.Rusage).Maxrss) / 1024
	return importFigures(took, s.UserTime()+s.SystemTime(), peak)
}

// importAlone is main of the plain loop; it does not return.
func importAlone(spec string) {
	from, to, _ := strings.Cut(spec, " ")
	in, err := os.Open(from)
	if err != nil {
		fail(err)
	}
	file, err := os.Create(to)
	if err != nil {
		fail(err)
	}
	out := bufio.NewWriterSize(file, 64<<10)
	if err := importLoop(csv.NewReader(bufio.NewReaderSize(in, 64<<10)), json.NewEncoder(out)); err != nil {
		fail(err)
	}
	if err := out.Flush(); err != nil {
		fail(err)
	}
	os.Exit(0)
}

type importedOrder struct {
	ID        int64   `json:"id"`
	Name      string  `json:"name"`
	Email     string  `json:"email"`
	Country   string  `json:"country"`
	Qty       int64   `json:"qty"`
	Price     float64 `json:"price"`
	Discount  float64 `json:"discount"`
	Total     float64 `json:"total"`
	OrderedAt string  `json:"ordered_at"`
	Comment   string  `json:"comment"`
}

func importLoop(in *csv.Reader, out *json.Encoder) error {
	in.ReuseRecord = true
	if _, err := in.Read(); err != nil {
		return err
	}
	for {
		r, err := in.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if r[4] != "active" {
			continue
		}
		o := importedOrder{Name: r[1], Email: strings.ToLower(r[2]), Country: r[3], OrderedAt: r[8], Comment: r[9]}
		o.ID, _ = strconv.ParseInt(r[0], 10, 64)
		o.Qty, _ = strconv.ParseInt(r[5], 10, 64)
		o.Price, _ = strconv.ParseFloat(r[6], 64)
		o.Discount, _ = strconv.ParseFloat(r[7], 64)
		o.Total = float64(o.Qty) * o.Price * (1 - o.Discount)
		if err := out.Encode(&o); err != nil {
			return err
		}
	}
}

// writeOrders makes a table of orders; in every tenth row a cell has quotes.
func writeOrders(path string, rows int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	fmt.Fprintln(w, strings.Join(rowNames, ","))
	for i := range rows {
		line := strings.ReplaceAll(csvRow(i), "|", ",")
		if i%10 == 4 {
			line = strings.TrimSuffix(line, "standard delivery") + `"leave at door, ring ""twice"""`
		}
		fmt.Fprintln(w, line)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}
