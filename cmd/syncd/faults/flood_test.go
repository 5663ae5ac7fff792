//go:build linux

package faults

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"sync"
	"testing"
)

// Many large bodies at once: what does not fit into max_in_flight is told to come
// later, and memory stays bounded by the configuration.
func TestFloodOfLargeBodies(t *testing.T) {
	senders := 200
	if long {
		senders = 1000
	}
	dir := t.TempDir()
	configure(t, dir, fmt.Sprintf(`daemon {
  state_dir     = "%s/state"
  max_in_flight = "32MiB"
}
listener "http" "in" { address = "127.0.0.1:0" }
`, dir)+acceptConf)
	d := launch(t, dir)
	body := append(append([]byte(`{"n":1,"fill":"`), bytes.Repeat([]byte("x"), 5<<20-64)...), `"}`...)
	c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer c.CloseIdleConnections()
	var mu sync.Mutex
	codes := map[int]int{}
	var group sync.WaitGroup
	for range senders {
		group.Go(func() {
			res, err := c.Post(d.url+"/in", "application/json", bytes.NewReader(body))
			code := 0 // cut off while sending, which a refusal may do
			if err == nil {
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
				code = res.StatusCode
			}
			if code == http.StatusServiceUnavailable && res.Header.Get("Retry-After") == "" {
				t.Error("503 without Retry-After")
			}
			mu.Lock()
			defer mu.Unlock()
			codes[code]++
		})
	}
	group.Wait()
	t.Logf("answers: %v, peak %d MiB", codes, d.peak()>>20)
	if codes[202] == 0 || codes[202]+codes[503]+codes[0] != senders {
		t.Errorf("answers: %v", codes)
	}
	s := d.drained()
	if got := s.Sources[0].Accepted; got < int64(codes[202]) {
		t.Errorf("%d accepted, %d acknowledged", got, codes[202])
	}
	if raceFlags == nil && d.peak() > 400<<20 {
		t.Errorf("peak memory %d MiB with max_in_flight 32 MiB", d.peak()>>20)
	}
	d.stop()
}

var hwm = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peak is the process's largest resident set so far, in bytes.
func (d *daemon) peak() int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		d.t.Fatal(err)
	}
	kb, err := strconv.Atoi(string(hwm.FindSubmatch(status)[1]))
	if err != nil {
		d.t.Fatal(err)
	}
	return kb << 10
}
