package poll

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/npmtest"
)

// A server that is not ours: pages by Link headers, ETags for each.
func TestJSONServer(t *testing.T) {
	db := filepath.Join(t.TempDir(), "db.json")
	if err := os.WriteFile(db, fmt.Appendf(nil, `{"orders":[%s]}`, records(0, 230)), 0o600); err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	npmtest.Start(t, regexp.MustCompile(`/orders`), "json-server", "--host", "127.0.0.1", "--port", fmt.Sprint(port), db)
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	answers(t, url) // it says that it is ready a moment before it is
	p := newPoller(t, url, newMemory(true), func(c *Config) {
		c.Records = expr.Expr{}
		c.Request.Path = tmpl("/orders", expr.Path)
		c.Request.Query = map[string]expr.Template{"_page": tmpl("1", expr.Text), "_limit": tmpl("50", expr.Text)}
		c.Paginate = &Paginate{Link: &Link{}}
	})
	p.complete(1)
	p.once(t, 230)
	p.complete(1)
	if p.duplicates > 0 {
		t.Errorf("%d records of pages that have not changed came again", p.duplicates)
	}
	res, err := http.Post(url+"/orders", "application/json", strings.NewReader(`{"id":"new","n":230}`))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	p.complete(1)
	p.once(t, 231)
	if p.duplicates != 30 {
		t.Errorf("%d duplicates, of a last page that had 30", p.duplicates)
	}
}

// answers waits until somebody does.
func answers(t *testing.T, url string) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for again := time.NewTicker(10 * time.Millisecond); ; {
		if res, err := http.Get(url); err == nil {
			res.Body.Close()
			again.Stop()
			return
		}
		select {
		case <-again.C:
		case <-deadline:
			t.Fatalf("%s does not answer", url)
		}
	}
}
