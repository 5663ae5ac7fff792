//go:build linux

package faults

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const tokenConf = `
source "webhook" "in" {
  path = "/in"
  verify "none" {}
}
connection "http" "crm" {
  base_url = "http://%[1]s"
  auth "oauth2" {
    grant         = "refresh_token"
    token_url     = "http://%[1]s/token"
    client_id     = "syncd"
    client_secret = "planted-client-secret"
    refresh_token = sensitive("planted-refresh-0")
  }
}
sink "http" "crm" {
  connection = connection.http.crm
  path       = "/orders"
  timeout    = "5s"
  breaker { pause = "100ms" }
}
flow "orders" {
  from = source.webhook.in
  to   = sink.http.crm
}
`

// rotation is an issuer whose refresh tokens are good once, and whose access tokens are
// good for one request.
type rotation struct {
	mu             sync.Mutex
	refresh, given int
	misused        int
	good           string
}

func (r *rotation) serve(w http.ResponseWriter, req *http.Request) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if req.URL.Path != "/token" {
		ok := r.good != "" && req.Header.Get("Authorization") == "Bearer "+r.good
		r.good = ""
		if !ok {
			w.WriteHeader(http.StatusUnauthorized)
		}
		return !ok
	}
	if req.FormValue("refresh_token") != fmt.Sprintf("planted-refresh-%d", r.refresh) {
		r.misused++
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"invalid_grant"}`)
		return true
	}
	r.refresh++
	r.given++
	r.good = fmt.Sprintf("planted-access-%d", r.given)
	fmt.Fprintf(w, `{"access_token":%q,"refresh_token":"planted-refresh-%d"}`, r.good, r.refresh)
	return true
}

// A refresh token that is replaced at each use survives kills, and shows nowhere.
func TestRotatedTokenSurvivesKills(t *testing.T) {
	dir := t.TempDir()
	peer, issuer := newSink(t), &rotation{}
	peer.set(issuer.serve)
	configure(t, dir, fmt.Sprintf(tokenConf, peer.addr))
	var said strings.Builder
	const kills = 4
	for n := range kills {
		d := launch(t, dir)
		if code, _, err := post(client(), d.url+"/in", fmt.Sprintf(`{"n":%d}`, n)); code != 202 || err != nil {
			t.Fatal(code, err)
		}
		until(t, "the event to be delivered", func() bool {
			s, err := d.status()
			return err == nil && s.Flows[0].Delivered == int64(n+1)
		})
		d.kill()
		said.WriteString(d.said())
	}
	d := launch(t, dir)
	d.stop()
	said.WriteString(d.said())
	if issuer.misused != 0 || issuer.refresh < kills || peer.total != kills {
		t.Errorf("%d refresh tokens were used, %d of them not the last; %d deliveries", issuer.refresh, issuer.misused, peer.total)
	}
	noPlanted(t, "what it said", said.String())
	err := filepath.WalkDir(filepath.Join(dir, "state"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		noPlanted(t, path, string(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func noPlanted(t *testing.T, where, text string) {
	t.Helper()
	if i := strings.Index(text, "planted-"); i >= 0 {
		t.Errorf("%s shows %q", where, text[i:min(i+40, len(text))])
	}
}
