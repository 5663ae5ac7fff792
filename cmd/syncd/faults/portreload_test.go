//go:build linux

package faults

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
)

// Ports that are not wanted any more are given up at once, though a request on one of
// them takes its time, and can be taken again; the request is answered.
func TestReloadGivesPortsUp(t *testing.T) {
	dir := t.TempDir()
	out := newSink(t)
	base := reloadConf(dir, out.addr, 0, "127.0.0.1:0")
	var more string
	var addresses []string
	for _, name := range []string{"x", "y", "z"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addresses = append(addresses, l.Addr().String())
		l.Close()
		more += fmt.Sprintf("listener \"http\" \"%[1]s\" { address = %[2]q }\nsource \"webhook\" \"%[1]s\" {\n  listener = listener.http.%[1]s\n  path     = \"/%[1]s\"\n  verify \"none\" {}\n}\n", name, l.Addr().String())
	}
	base = strings.ReplaceAll(base, "source \"webhook\" \"a\" {", "source \"webhook\" \"a\" {\n  listener = listener.http.in")
	base = strings.ReplaceAll(base, "source \"webhook\" \"b\" {", "source \"webhook\" \"b\" {\n  listener = listener.http.in")
	more += "flow \"more\" {\n  from = [source.webhook.x, source.webhook.y, source.webhook.z]\n  to   = sink.http.out\n}\n"
	configure(t, dir, base+more)
	d := launch(t, dir)
	slow := make([]net.Conn, len(addresses))
	for i, address := range addresses {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprintf(c, "POST /%c HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 7\r\nExpect: 100-continue\r\n\r\n", "xyz"[i])
		if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.Contains(line, "100") {
			t.Fatalf("%q %v", line, err) // from here on the source waits for the body
		}
		slow[i] = c
	}
	for range 3 {
		configure(t, dir, base)
		if code, said, errs := d.cli("reload"); code != 0 {
			t.Fatalf("%s%s", said, errs)
		}
		for _, address := range addresses {
			if c, err := net.Dial("tcp", address); err == nil {
				c.Close()
				t.Errorf("%s is still open", address)
			}
		}
		configure(t, dir, base+more)
		if code, said, errs := d.cli("reload"); code != 0 {
			t.Fatalf("%s%s", said, errs)
		}
	}
	for i, c := range slow {
		fmt.Fprintf(c, `{"n":%d}`, i+1)
		res, err := http.ReadResponse(bufio.NewReader(skip(c)), nil)
		if err != nil || res.StatusCode != http.StatusAccepted {
			t.Errorf("the request on %s: %v %v", addresses[i], res, err)
		}
	}
	if s := d.drained(); len(s.Listeners) != 4 {
		t.Errorf("%+v", s.Listeners)
	}
	d.stop()
}

// skip is c without what is left of "100 Continue".
func skip(c net.Conn) *bufio.Reader {
	r := bufio.NewReader(c)
	if next, err := r.Peek(2); err == nil && string(next) == "\r\n" {
		_, _ = r.Discard(2)
	}
	return r
}
