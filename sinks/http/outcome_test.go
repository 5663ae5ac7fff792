package http

import (
	"fmt"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/http"
)

// What the connection's outcome block says comes before what the sink makes of it.
func TestOutcome(t *testing.T) {
	for i, tt := range []struct {
		status        int
		body          string
		retry, fail   string
		success, also string // of the sink: success and retry_on
		want          verdict
		message       string
	}{
		{status: 200, body: `{"ok":true}`, want: delivered},
		{status: 200, body: `{"ok":false,"error":"busy"}`, want: retried, message: `answered 200 OK: {"ok":false,"error":"busy"}`},
		{status: 200, body: `{"ok":false,"error":"wrong"}`, want: dead, message: "wrong"},
		{status: 204, want: delivered},
		{status: 400, body: `{"error":"busy"}`, want: retried},
		{status: 401, body: `{"ok":false}`, want: unwell},
		{status: 503, body: `{"ok":false}`, want: retried},
		{status: 429, body: `{"ok":false}`, want: retried},
		{status: 200, body: "<html>", want: dead, message: "outcome.retry: "},
		{status: 502, body: "<html>", want: retried, message: "outcome.retry: "},
		{status: 200, body: "<html>", retry: "false", want: dead, message: "outcome.fail: "},
		{status: 200, body: `{"ok":false}`, success: "true", want: dead},
		{status: 200, body: `{"ok":false}`, also: "response.body.ok == false", want: retried},
		{status: 409, body: `{"ok":true}`, success: "response.status == 409", want: delivered},
	} {
		t.Run(fmt.Sprintf("%d %d", i, tt.status), func(t *testing.T) {
			srv := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
				w.Header()["Content-Type"] = nil
				w.Header().Set("RateLimit-Remaining", "0")
				w.Header().Set("RateLimit-Reset", "7")
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			}))
			defer srv.Close()
			if tt.retry == "" {
				tt.retry = "response.body.error == 'busy'"
			}
			outcome := &conn.Outcome{Retry: expression(t, tt.retry), Fail: expression(t, "response.body.ok == false")}
			s := newSink(t, srv.URL, &conn.Config{Outcome: outcome}, func(c *Config) {
				if tt.success != "" {
					c.Success = expression(t, tt.success)
				}
				if tt.also != "" {
					c.RetryOn = expression(t, tt.also)
				}
			})
			err := deliverOne(s, delivery("1", nil))
			if got := verdictOf(err); got != tt.want || err != nil && !strings.Contains(err.Error(), tt.message) {
				t.Fatalf("got %s, want %s: %v", got, tt.want, err)
			}
			if got := component.Wait(err); (tt.want == retried) != (got == 7*time.Second) {
				t.Errorf("wait %s", got)
			}
		})
	}
}
