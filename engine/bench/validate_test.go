package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Of the configuration that is validated: components are sources, flows and sinks,
// each with one expression that no other has.
const (
	validatedFiles  = 1000
	sourcesPerFile  = 3
	sinksPerFile    = 4
	validatedAmount = validatedFiles * (2*sourcesPerFile + sinksPerFile)
)

// BenchmarkValidate has the program validate a thousand files with ten thousand
// components. The figures are those of the whole process, from its start to its end.
func BenchmarkValidate(b *testing.B) {
	dir := b.TempDir()
	writeLarge(b, dir)
	for b.Loop() {
		var seconds, cpu, peak []float64
		for range pairs {
			v := validate(b, dir)
			seconds, cpu, peak = append(seconds, v.seconds), append(cpu, v.cpu), append(peak, v.peak)
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(validatedAmount, "components")
		b.ReportMetric(middle(seconds), "s")
		b.ReportMetric(middle(cpu), "cpu-ms")
		b.ReportMetric(middle(peak), "peak-MiB")
	}
}

// validated is a process that has ended.
type validated struct {
	seconds, cpu, peak float64 // cpu in milliseconds, peak in MiB
}

func validate(tb testing.TB, dir string) validated {
	tb.Helper()
	bin, err := binary()
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(bin, "validate", "-c", dir)
	began := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(began)
	want := fmt.Sprintf("The configuration is valid: %d sources, %d flows, %d sinks.\n",
		validatedFiles*sourcesPerFile, validatedFiles*sourcesPerFile, validatedFiles*sinksPerFile)
	if err != nil || string(out) != want {
		tb.Fatalf("%v: %.400s", err, out)
	}
	used := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return validated{
		seconds: took.Seconds(),
		cpu:     milliseconds(cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()),
		peak:    float64(used.Maxrss) / 1024,
	}
}

// writeLarge writes the files into dir.
func writeLarge(tb testing.TB, dir string) {
	tb.Helper()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	write("main.hcl", "connection \"http\" \"crm\" { base_url = \"https://crm.example.com\" }\n")
	for i := range validatedFiles {
		write(fmt.Sprintf("shop%04d.hcl", i), largeFile(i))
	}
}

func largeFile(i int) string {
	var b strings.Builder
	for j := range sourcesPerFile {
		name := fmt.Sprintf("s%d_%d", i, j)
		to := "sink.http." + name
		if j == 0 {
			to = fmt.Sprintf("[sink.http.%s, sink.http.s%d_%d]", name, i, sinksPerFile-1)
		}
		fmt.Fprintf(&b, `
source "webhook" "%[1]s" {
  path = "/hooks/%[1]s"
  id   = "meta.header['x-%[1]s'] ?? string(body.id_%[1]s)"
  verify "none" {}
}

flow "%[1]s" {
  from = source.webhook.%[1]s

  filter { when = "body.total > %[2]d and body.country in ['CL', 'PE', '%[1]s']" }

  to = %[3]s
}
`, name, i*sourcesPerFile+j, to)
	}
	for j := range sinksPerFile {
		fmt.Fprintf(&b, `
sink "http" "s%[1]d_%[2]d" {
  connection = connection.http.crm
  path       = "/orders/s%[1]d_%[2]d"
  when       = "lower(body.customer.email ?? '') endsWith '@s%[1]d-%[2]d.example'"
}
`, i, j)
	}
	return b.String()
}
