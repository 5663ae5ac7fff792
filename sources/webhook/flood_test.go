package webhook

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/format"
	"github.com/syncd/syncd/engine/listen"
)

// A thousand large requests at once: nearly as many as the budget allows are
// received (some of it is in the hands of those that will be refused), the others
// are told to come again, and memory stays within it.
func TestFloodOfLargeBodies(t *testing.T) {
	const (
		senders = 1000
		size    = 256 << 10
		fit     = budget / size * 3 / 4
		// What a thousand connections cost beside their bodies.
		overhead = senders * (48 << 10)
	)
	h := newHook(t, nil)
	address := strings.TrimPrefix(serve(t, listen.Config{}, h), "http://")
	body := append(append([]byte{'"'}, bytes.Repeat([]byte("x"), size-2)...), '"')
	runtime.GC()
	var before, during runtime.MemStats
	runtime.ReadMemStats(&before)

	// Half of each body is sent, then all wait for each other.
	var sent, answered sync.WaitGroup
	sent.Add(senders)
	goOn := make(chan bool)
	statuses := make(chan int, senders)
	for range senders {
		answered.Go(func() {
			c, err := net.Dial("tcp", address)
			if err != nil {
				t.Error(err)
				sent.Done()
				return
			}
			defer c.Close()
			fmt.Fprintf(c, "POST /hook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", size)
			// One that is refused may be cut off while it sends; its answer is there all the same.
			_, _ = c.Write(body[:size/2])
			sent.Done()
			<-goOn
			_, _ = c.Write(body[size/2:])
			res, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				statuses <- 0
				return
			}
			defer res.Body.Close()
			if res.StatusCode == 503 && res.Header.Get("Retry-After") != "1" {
				t.Errorf("Retry-After %q", res.Header.Get("Retry-After"))
			}
			statuses <- res.StatusCode
		})
	}
	sent.Wait()
	runtime.GC()
	runtime.ReadMemStats(&during)
	close(goOn)
	answered.Wait()
	close(statuses)

	count := map[int]int{}
	for status := range statuses {
		count[status]++
	}
	stored, refused := h.counts()
	if count[202] < fit || count[202] != stored || count[202]+count[503]+count[0] != senders || stored+refused != senders {
		t.Errorf("answers %v; %d stored, %d refused", count, stored, refused)
	}
	if count[0] > senders/20 {
		t.Errorf("%d senders were cut off before they had read their answer", count[0])
	}
	if grown := int64(during.HeapAlloc) - int64(before.HeapAlloc); grown > budget+overhead {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
	t.Logf("answers %v, heap grew by %d MiB", count, (int64(during.HeapAlloc)-int64(before.HeapAlloc))>>20)
}

// A length that is only declared keeps nobody out: room is taken as a body comes.
func TestDeclaredLengthsHoldNoRoom(t *testing.T) {
	h := newHook(t, nil)
	address := strings.TrimPrefix(serve(t, listen.Config{}, h), "http://")
	const each = 4 << 20
	for range 2 * budget / each {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprintf(c, "POST /hook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", each)
		// The invitation to go on comes when the body begins to be read.
		if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.Contains(line, " 100 ") {
			t.Fatalf("answered %q, %v", line, err)
		}
	}
	if w := h.post(`{"n":1}`, "Content-Type", "application/json"); w.Code != 202 {
		t.Errorf("answered %d %s while others have only declared their bodies", w.Code, w.Body)
	}
}

// Bodies that do not tell their length share the same budget.
func TestFloodOfUnknownLength(t *testing.T) {
	h := newHook(t, func(c *Config) { c.MaxBody = 2 * budget })
	r := httptest.NewRequest("POST", "/hook", io.MultiReader(strings.NewReader(strings.Repeat("x", budget+1))))
	r.ContentLength = -1
	w := h.send(r, "Content-Type", "text/plain")
	if problem(t, w.Result()); w.Code != 503 || w.Header().Get("Retry-After") != "1" {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
	if w := h.post(strings.Repeat("x", budget+1), "Content-Type", "text/plain"); w.Code != 503 {
		t.Errorf("got %d", w.Code)
	}
	bomb := zip(t, strings.Repeat(" ", budget+1))
	if w := h.post(bomb, "Content-Type", "text/plain", "Content-Encoding", "gzip"); w.Code != 503 {
		t.Errorf("got %d", w.Code)
	}
	if stored, refused := h.counts(); stored != 0 || refused != 3 {
		t.Errorf("%d stored, %d refused", stored, refused)
	}
}

// Whatever comes in, it is either stored so that it can be decoded, or refused
// with a status of the list.
func FuzzBody(f *testing.F) {
	for _, seed := range [][3]string{
		{"application/json", "", `{"a":[1,"x"]}`},
		{"application/x-ndjson", "", "{}\n[]\n"},
		{"text/csv", "", "a,b\n1,2\n"},
		{"application/x-www-form-urlencoded", "", "a=1&b=%20"},
		{"application/xml", "", "<a b='c'>d</a>"},
		{"text/plain; charset=utf-16", "", "x"},
		{"", "gzip", zip(f, "{}")},
		{"image/png", "identity", "\x00\xff"},
	} {
		f.Add(seed[0], seed[1], []byte(seed[2]), false)
		f.Add(seed[0], seed[1], []byte(seed[2]), true)
	}
	f.Fuzz(func(t *testing.T, contentType, encoding string, body []byte, unknown bool) {
		h := newHook(t, func(c *Config) { c.Accept, c.MaxBody = []string{"image/*"}, 1<<16 })
		r := httptest.NewRequest("POST", "/hook", bytes.NewReader(body))
		if unknown {
			r.ContentLength = -1
		}
		r.Header["Content-Type"], r.Header["Content-Encoding"] = []string{contentType}, []string{encoding}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		stored, refused := h.counts()
		switch w.Code {
		case 202:
			d := h.last(t)
			if _, err := format.Decode(d.ContentType, d.Raw); err != nil || stored != 1 || refused != 0 {
				t.Errorf("stored %q as %q: %v", d.Raw, d.ContentType, err)
			}
			if err := format.CheckJSON(d.RawMeta); err != nil {
				t.Errorf("meta %s: %v", d.RawMeta, err)
			}
		case 400, 413, 415:
			if problem(t, w.Result()); stored != 0 || refused != 1 {
				t.Errorf("%d stored, %d refused", stored, refused)
			}
		default:
			t.Errorf("status %s", strconv.Itoa(w.Code))
		}
	})
}

// A request of any shape leaves a meta that is JSON and holds no credentials.
func FuzzMeta(f *testing.F) {
	f.Add("/hook", "a=1&key=s3cret", "X-A", "v", "1.2.3.4")
	f.Add("/\xff", "%zz;&&=", "x\"y", "\x00s3cret", "::1")
	f.Fuzz(func(t *testing.T, path, query, name, value, ip string) {
		h := newHook(t, func(c *Config) {
			c.Verify = []Verify{{APIKey: &APIKey{Query: "key", Value: component.NewSecret("s3cret")}}, {None: &None{}}}
		})
		r := httptest.NewRequest("POST", "/hook", strings.NewReader("{}"))
		r.URL.Path, r.URL.RawQuery, r.RemoteAddr = strings.ReplaceAll(path, "s3cret", ""), query, ip
		r.Header["Authorization"] = []string{"s3cret"}
		if isToken(name) { // net/http takes no other names
			r.Header[http.CanonicalHeaderKey(name)] = []string{value}
		}
		if name == "Content-Type" || name == "Content-Encoding" {
			return
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 202 {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
		raw := h.last(t).RawMeta
		if err := format.CheckJSON(raw); err != nil {
			t.Errorf("%v: %s", err, raw)
		}
		if !strings.Contains(name, "s3cret") && bytes.Contains(raw, []byte("s3cret")) {
			t.Errorf("the key is in %s", raw)
		}
	})
}

func isToken(name string) bool {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c > '~' || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return name != ""
}
