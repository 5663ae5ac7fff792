package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	pollPages   = 1000
	pollPerPage = 100
	idlePolls   = 500
)

// newAPI gives pages of records by a cursor, as text that was made before, and, for
// any other path, always the same page with an ETag.
func newAPI(b *testing.B) (addr string) {
	pages := make([][]byte, pollPages)
	for p := range pages {
		var page bytes.Buffer
		page.WriteString(`{"data":[`)
		for i := range pollPerPage {
			if i > 0 {
				page.WriteByte(',')
			}
			n := p*pollPerPage + i
			fmt.Fprintf(&page, `{"id":%d,"name":"Customer %d","email":"C%d@example.test","plan":"%s","balance":%d.%02d,"active":%t}`,
				n, n, n, []string{"free", "pro", "team"}[n%3], n%1000, n%100, n%2 == 0)
		}
		next := ""
		if p+1 < pollPages {
			next = strconv.Itoa(p + 1)
		}
		fmt.Fprintf(&page, `],"next":"%s"}`, next)
		pages[p] = page.Bytes()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path != "/records" {
			w.Header().Set("ETag", `"1"`)
			if r.Header.Get("If-None-Match") != "" {
				w.WriteHeader(http.StatusNotModified)
				return
			}
		}
		p, _ := strconv.Atoi(r.FormValue("cursor"))
		w.Write(pages[p%pollPages])
	})}
	go server.Serve(l)
	b.Cleanup(func() { server.Close() })
	return l.Addr().String()
}

const pollConfiguration = `
daemon { state_dir = "state" }
connection "http" "api" { base_url = "http://%s" }
source "poll" "records" {
  connection = connection.http.api
  every      = "1h"
  records    = "response.body.data"
  request { path = "/records" }
  paginate "token" {
    next  = "response.body.next"
    query = "cursor"
  }
}
sink "files" "out" {
  path = "out.ndjson"
  format "ndjson" {}
}
flow "import" {
  from = source.poll.records
  map {
    id      = "body.id"
    name    = "body.name"
    email   = "lower(body.email)"
    plan    = "body.plan"
    balance = "body.balance"
  }
  to = sink.files.out
}
`

// BenchmarkPoll reads pages of an API, maps the records and writes them to an NDJSON
// file, beside a plain loop that does the same and remembers nothing. From the start of
// the process to the last line.
func BenchmarkPoll(b *testing.B) {
	api := newAPI(b)
	for b.Loop() {
		our, their := alternate(b,
			func() figures {
				return polled(b, func() *process { return runDaemon(b, "", "", fmt.Sprintf(pollConfiguration, api)) })
			},
			func() figures { return polled(b, func() *process { return startReference(b, "poll", api) }) })
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(median(our, accepted), "records/s")
		b.ReportMetric(1000*median(our, func(f figures) float64 { return f.cpu }), "cpu-µs/record")
		b.ReportMetric(median(our, func(f figures) float64 { return f.peak }), "peak-MiB")
		b.ReportMetric(median(their, accepted), "loop-records/s")
		b.ReportMetric(1000*median(their, func(f figures) float64 { return f.cpu }), "loop-cpu-µs/record")
		b.ReportMetric(ratio(our, their, accepted), "of-loop")
	}
}

// polled waits until all records stand in the file.
func polled(b *testing.B, start func() *process) figures {
	if _, err := binary(); err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	p := start()
	defer p.stop(b)
	deadline := time.After(2 * time.Minute)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	lines := lineCounter{path: filepath.Join(p.dir, "out.ndjson")}
	for lines.count() < pollPages*pollPerPage {
		select {
		case <-look.C:
		case <-p.exited:
			b.Fatalf("it has ended; it printed:\n%s", p.printed())
		case <-deadline:
			b.Fatalf("%d records after two minutes; it printed:\n%s", lines.n, p.printed())
		}
	}
	took := time.Since(began)
	u := p.usage(b)
	const n = pollPages * pollPerPage
	return figures{accepted: n / took.Seconds(), cpu: milliseconds(u.cpu) / n, peak: u.peak}
}

// lineCounter counts the lines of a file that grows.
type lineCounter struct {
	path string
	at   int64
	n    int
}

func (l *lineCounter) count() int {
	f, err := os.Open(l.path)
	if err != nil {
		return 0
	}
	defer f.Close()
	buf := make([]byte, 1<<20)
	for {
		n, _ := f.ReadAt(buf, l.at)
		if n == 0 {
			return l.n
		}
		l.at += int64(n)
		l.n += bytes.Count(buf[:n], []byte{'\n'})
	}
}

// pollLoop is the reference: what one would write for once.
func pollLoop(api, dir string) error {
	out, err := os.Create(filepath.Join(dir, "out.ndjson"))
	if err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	enc := json.NewEncoder(w)
	for cursor := "0"; cursor != ""; {
		if cursor, err = pollOnce(enc, "http://"+api+"/records?cursor="+cursor); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return out.Sync()
}

func pollOnce(enc *json.Encoder, url string) (next string, err error) {
	res, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	var page struct {
		Data []map[string]any
		Next string
	}
	if err := json.NewDecoder(res.Body).Decode(&page); err != nil {
		return "", err
	}
	for _, r := range page.Data {
		email, _ := r["email"].(string)
		row := map[string]any{"id": r["id"], "name": r["name"], "email": strings.ToLower(email), "plan": r["plan"], "balance": r["balance"]}
		if err := enc.Encode(row); err != nil {
			return "", err
		}
	}
	return page.Next, nil
}

// BenchmarkIdlePolls is a daemon with many polls a minute to which nothing is new.
func BenchmarkIdlePolls(b *testing.B) {
	api := newAPI(b)
	var names []string
	for n := range idlePolls {
		names = append(names, fmt.Sprintf("%q", "p"+strconv.Itoa(n)))
	}
	configuration := fmt.Sprintf(`
daemon { state_dir = "state" }
connection "http" "api" { base_url = "http://%s" }
source "poll" "many" {
  for_each   = toset([%s])
  connection = connection.http.api
  every      = "1m"
  jitter     = "50s"
  records    = "response.body.data"
  id         = "record.id"
  request { path = "/same/${each.key}" }
}
sink "files" "out" {
  path = "out.ndjson"
  format "ndjson" {}
}
flow "all" {
  from = source.poll.many
  to   = sink.files.out
}
`, api, strings.Join(names, ", "))
	for b.Loop() {
		p := runDaemon(b, "", "", configuration)
		<-time.After(70 * time.Second) // all have run once
		before := p.usage(b)
		const watched = time.Minute
		<-time.After(watched)
		after := p.usage(b)
		p.stop(b)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(100*(after.cpu-before.cpu).Seconds()/watched.Seconds(), "%-of-a-core")
		b.ReportMetric(after.rss, "MiB")
	}
}
