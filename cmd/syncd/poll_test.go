package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const pollConf = `
connection "http" "shop" {
  base_url = %q
  auth "bearer" { token = "s3cret-token" }
}
source "poll" "orders" {
  connection = connection.http.shop
  every      = "1h"
  records    = "response.body.orders"
  id         = "record.id"
  request {
    path    = "/orders"
    query   = { since = "{{ cursor }}" }
    headers = { X-Sig = "v1 ${sensitive("s3cret-sig")}:{{ cursor }}" }
  }
  cursor {
    initial = 0
    next    = "record.id"
  }
  paginate "token" {
    next  = "response.body.next"
    query = "after"
  }
}
source "webhook" "in" {
  path = "/in"
  verify "none" {}
}
flow "orders" {
  from = [source.poll.orders, source.webhook.in]
  to   = sink.log.look
}
sink "log" "look" {}
`

// A dry run shows what a first run would begin with, and leaves nothing behind.
func TestPollDryRun(t *testing.T) {
	status := http.StatusOK
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if status == http.StatusForbidden {
			fmt.Fprintf(w, `"not with %s"`, r.Header.Get("X-Sig"))
			return
		}
		fmt.Fprint(w, `{"orders":[{"id":7,"who":"Ana"},{"id":9},{"id":8}],"next":"p2"}`)
	}))
	defer api.Close()
	dir := t.TempDir()
	t.Chdir(dir)
	conf := filepath.Join(dir, "shop.hcl")
	if err := os.WriteFile(conf, fmt.Appendf(nil, pollConf, api.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, stderr := syncd("poll", "--dry-run", "poll.orders", "-c", conf, "--records", "2")
	if code != exitOK || stderr != "" {
		t.Fatalf("%d %s %s", code, out, stderr)
	}
	for _, want := range []string{
		"GET " + api.URL + "/orders?since=0\n", "Authorization: Bearer (sensitive)\n", "X-Sig: v1 (sensitive):0\n", "Answered 200; 3 records.", `"who": "Ana"`,
		"… and 1 more.", "Next page: GET " + api.URL + "/orders?since=0&after=p2\n", "Cursor after this page: 9\n", "Nothing was stored.\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %q:\n%s", want, out)
		}
	}
	if there, _ := os.ReadDir(dir); len(there) != 1 || strings.Contains(out, "s3cret") {
		t.Errorf("left behind: %v\n%s", there, out)
	}

	code, out, _ = syncd("poll", "--dry-run", "poll.orders", "-c", conf, "--json")
	var seen struct {
		Count   int
		Records []map[string]any
		Cursor  int
	}
	if err := json.Unmarshal([]byte(out), &seen); err != nil || code != exitOK || seen.Count != 3 || len(seen.Records) != 3 || seen.Cursor != 9 {
		t.Errorf("%d %v %s", code, err, out)
	}

	status = http.StatusForbidden
	code, out, stderr = syncd("poll", "--dry-run", "poll.orders", "-c", conf)
	if code != exitWrong || !strings.HasPrefix(out, "GET ") || !strings.Contains(stderr, "answered 403 Forbidden") ||
		strings.Contains(out+stderr, "s3cret") || strings.Contains(out, "next page") {
		t.Errorf("%d %s %s", code, out, stderr)
	}
}

func TestPollMistakes(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "shop.hcl")
	if err := os.WriteFile(conf, fmt.Appendf(nil, pollConf, "http://127.0.0.1:1"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"did you mean source.poll.orders?":                   {"--dry-run", "poll.order"},
		"syncd trigger poll.orders":                          {"poll.orders"},
		"source.webhook.in is no source that asks for pages": {"--dry-run", "webhook.in"},
		"connection refused":                                 {"--dry-run", "poll.orders"},
	} {
		code, _, stderr := syncd(append([]string{"poll", "-c", conf}, args...)...)
		if code != exitWrong || !strings.Contains(stderr, want) {
			t.Errorf("%v: %d %s", args, code, stderr)
		}
	}
}
