package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// References are what the daemon is compared with. They run as processes of this
// test binary, which takes referenceEnv as the sign to be one: "NAME ADDR SINK DIR".
//
//   - check answers 202 to valid JSON, and that is all: what net/http costs.
//   - journal keeps the body in a plain file, synced together with what else came
//     meanwhile, before it answers, and maps and forwards it later. It forgets at a
//     crash what it has forwarded, cannot retry, and keeps what waits in memory: less
//     cannot be done for a durable answer.
//   - poll reads the pages of an API into a file; its SINK is the API.
const referenceEnv = "SYNCD_BENCH_REFERENCE"

func startReference(tb testing.TB, name, sink string) *process {
	tb.Helper()
	p := process{addr: freeAddr(tb), path: "/", dir: tb.TempDir()}
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	return start(tb, p, []string{fmt.Sprintf("%s=%s %s %s %s", referenceEnv, name, p.addr, sink, p.dir)}, self)
}

// serveReference is main of a reference; it does not return.
func serveReference(spec string) {
	f := strings.Fields(spec)
	if len(f) != 4 {
		fail(fmt.Errorf("%s=%q: want NAME ADDR SINK DIR", referenceEnv, spec))
	}
	name, addr, sink, dir := f[0], f[1], f[2], f[3]
	if name == "poll" { // asks, instead of answering
		if err := pollLoop(sink, dir); err != nil {
			fail(err)
		}
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTERM)
		<-signals
		os.Exit(0)
	}
	handler := check
	if name == "journal" {
		file, err := os.Create(filepath.Join(dir, "journal"))
		if err != nil {
			fail(err)
		}
		handler = newGroupCommit(file, newForwarder("http://"+sink+"/")).serve
	}
	fail(http.ListenAndServe(addr, http.HandlerFunc(handler)))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func check(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || !json.Valid(body) {
		http.Error(w, "not JSON", http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// groupCommit is a file to which whatever waits is appended in one write and one sync.
type groupCommit struct {
	file    *os.File
	forward *forwarder

	mu      sync.Mutex
	pending *group
	wake    chan struct{}
}

// group is what shares a sync.
type group struct {
	bytes []byte
	err   error
	done  chan struct{}
}

func newGroup() *group { return &group{done: make(chan struct{})} }

func newGroupCommit(file *os.File, f *forwarder) *groupCommit {
	g := &groupCommit{file: file, forward: f, pending: newGroup(), wake: make(chan struct{}, 1)}
	go g.run()
	return g
}

func (g *groupCommit) run() {
	for range g.wake {
		g.mu.Lock()
		now := g.pending
		g.pending = newGroup()
		g.mu.Unlock()
		if _, now.err = g.file.Write(now.bytes); now.err == nil {
			now.err = syscall.Fdatasync(int(g.file.Fd()))
		}
		close(now.done)
	}
}

func (g *groupCommit) add(body []byte) error {
	g.mu.Lock()
	mine := g.pending
	mine.bytes = append(append(mine.bytes, body...), '\n')
	g.mu.Unlock()
	select {
	case g.wake <- struct{}{}:
	default:
	}
	<-mine.done
	return mine.err
}

func (g *groupCommit) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = g.add(body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	g.forward.queue <- body
	w.WriteHeader(http.StatusAccepted)
}

// forwarder maps orders and posts them on.
type forwarder struct {
	url    string
	client *http.Client
	queue  chan []byte
}

const (
	forwarders   = 16 // the best on two processors: fewer wait, more compete
	forwardQueue = 1 << 18
)

func newForwarder(url string) *forwarder {
	f := &forwarder{
		url:    url,
		client: &http.Client{Timeout: answerWithin, Transport: &http.Transport{MaxIdleConnsPerHost: forwarders}},
		queue:  make(chan []byte, forwardQueue),
	}
	for range forwarders {
		go f.run()
	}
	return f
}

func (f *forwarder) run() {
	for body := range f.queue {
		for f.post(body) != nil {
			time.Sleep(10 * time.Millisecond)
		}
	}
}

func (f *forwarder) post(body []byte) error {
	out, err := mapOrder(body)
	if err != nil {
		return err
	}
	resp, err := f.client.Post(f.url, "application/json", bytes.NewReader(out))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("post order: %s", resp.Status)
	}
	return nil
}

// mapOrder does what the flow of the daemon's configuration does.
func mapOrder(body []byte) ([]byte, error) {
	var in struct {
		ID       string
		Currency string
		Customer struct {
			Name, Email string
			Address     struct{ City string }
		}
		Items []struct {
			SKU        string
			Qty, Price float64
		}
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	out := mapped{
		Order: in.ID, Email: strings.ToLower(in.Customer.Email), Name: in.Customer.Name, City: in.Customer.Address.City,
		Currency: in.Currency, Count: len(in.Items), SKUs: []string{},
	}
	for _, i := range in.Items {
		out.Total += i.Qty * i.Price
		out.SKUs = append(out.SKUs, i.SKU)
	}
	return json.Marshal(out)
}
