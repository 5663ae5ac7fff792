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
	"github.com/syncd/syncd/engine/expr"
)

type verdict string

const (
	delivered verdict = "delivered"
	retried   verdict = "retried"
	dead      verdict = "dead"
	unwell    verdict = "unwell"
)

func verdictOf(err error) verdict {
	switch {
	case err == nil:
		return delivered
	case component.IsUnwell(err):
		return unwell
	case component.IsPermanent(err):
		return dead
	}
	return retried
}

func TestAnswers(t *testing.T) {
	tests := []struct {
		status            int
		header            string // "Name: value"
		body              string
		success, retryOn  string
		want              verdict
		wait              time.Duration
		message, notFound string
	}{
		{status: 200, want: delivered},
		{status: 204, want: delivered},
		{status: 302, header: "Location: /elsewhere", want: dead, message: "POST answered 302 Found to /elsewhere, and redirects are not followed"},
		{status: 400, body: `{"error":"no such field"}`, want: dead, message: `POST answered 400 Bad Request: {"error":"no such field"}`},
		{status: 401, want: unwell, message: "POST answered 401 Unauthorized"},
		{status: 403, want: unwell},
		{status: 407, want: unwell},
		{status: 404, want: dead},
		{status: 409, want: dead},
		{status: 408, want: retried},
		{status: 425, want: retried},
		{status: 429, header: "Retry-After: 7", want: retried, wait: 7 * time.Second},
		{status: 429, header: "Retry-After: Sat, 14 Mar 2026 09:27:53 GMT", want: retried, wait: time.Minute},
		{status: 503, header: "Retry-After: Sat, 14 Mar 2026 09:00:00 GMT", want: retried},
		{status: 503, header: "Retry-After: 99999999999", want: retried, wait: 24 * time.Hour},
		{status: 503, header: "Retry-After: -5", want: retried},
		{status: 503, header: "Retry-After: soon", want: retried},
		{status: 500, body: "oops", want: retried, message: "POST answered 500 Internal Server Error: oops"},
		{status: 599, want: retried},
		{status: 400, body: "echo: planted-bearer-token and planted-header", want: dead, message: "echo: (sensitive) and (sensitive)", notFound: "planted"},

		{status: 409, success: "response.status < 300 or response.status == 409", want: delivered},
		{status: 200, body: `{"ok":false}`, success: "response.body.ok", want: dead, message: `POST answered 200 OK: {"ok":false}`},
		{status: 200, body: `{"ok":true}`, success: "response.body.ok", want: delivered},
		{status: 200, header: "X-Result: done", success: "response.headers['X-Result'] == 'done' and response.headers.X_none == nil", want: delivered},
		{status: 502, body: "<html>", success: "response.body.ok", want: retried, message: "success: "},
		{status: 200, body: "<html>", success: "response.body.ok", want: dead, message: "success: "},
		{status: 200, success: "body.id == 1", want: delivered},

		{status: 404, retryOn: "response.status == 404", want: retried},
		{status: 500, retryOn: "response.status == 404", want: dead},
		{status: 401, retryOn: "response.status == 401", want: retried},
		{status: 401, retryOn: "response.status == 404", want: unwell},
		{status: 400, body: `{"code":"busy"}`, header: "Content-Type: application/json", retryOn: "response.body.code == 'busy'", want: retried},
		{status: 400, body: "text", retryOn: "response.body.code == 'busy'", want: dead, message: "retry_on: "},
	}
	for i, tt := range tests {
		t.Run(fmt.Sprintf("%d %d", i, tt.status), func(t *testing.T) {
			srv := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
				w.Header()["Content-Type"] = nil
				if name, value, ok := strings.Cut(tt.header, ": "); ok {
					w.Header().Set(name, value)
				}
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			}))
			defer srv.Close()
			auth := conn.Auth{Bearer: &conn.Bearer{Token: component.NewSecret("planted-bearer-token")}}
			s := newSink(t, srv.URL, &conn.Config{Auth: auth}, func(c *Config) {
				c.Headers = map[string]expr.Template{"X-Token": template(t, "planted-header", expr.Header)}
				if tt.success != "" {
					c.Success = expression(t, tt.success)
				}
				if tt.retryOn != "" {
					c.RetryOn = expression(t, tt.retryOn)
				}
			})
			err := deliverOne(s, delivery("1", map[string]any{"id": int64(1)}))
			if got := verdictOf(err); got != tt.want {
				t.Fatalf("got %s, want %s: %v", got, tt.want, err)
			}
			if got := component.Wait(err); got != tt.wait {
				t.Errorf("wait %s, want %s", got, tt.wait)
			}
			if err != nil && (!strings.Contains(err.Error(), tt.message) || tt.notFound != "" && strings.Contains(err.Error(), tt.notFound)) {
				t.Errorf("got %q, want %q", err, tt.message)
			}
		})
	}
}

func TestAnswerIsBounded(t *testing.T) {
	srv := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		w.WriteHeader(400)
		for range 3 << 20 / 1024 {
			if _, err := w.Write(make([]byte, 1024)); err != nil {
				return
			}
		}
	}))
	defer srv.Close()
	for _, success := range []string{"", "response.status == 200 or len(response.body) != 1048576"} {
		s := newSink(t, srv.URL, nil, func(c *Config) {
			if success != "" {
				c.Success = expression(t, success)
			}
		})
		err := deliverOne(s, delivery("1", nil))
		if verdictOf(err) != dead || len(err.Error()) > 4<<10+200 {
			t.Errorf("%s, %d bytes", verdictOf(err), len(fmt.Sprint(err)))
		}
	}
}

func TestNobodyThere(t *testing.T) {
	srv := httptest.NewServer(nil)
	srv.Close()
	s := newSink(t, srv.URL, nil, nil)
	if err := deliverOne(s, delivery("1", nil)); verdictOf(err) != retried {
		t.Errorf("got %v", err)
	}
	s = newSink(t, "http://nowhere.invalid", nil, nil)
	if err := deliverOne(s, delivery("1", nil)); verdictOf(err) != unwell {
		t.Errorf("got %v", err)
	}
}
