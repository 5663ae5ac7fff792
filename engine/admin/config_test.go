package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// refusing is a daemon that does none of it.
type refusing struct {
	fake
	why error
}

func (r *refusing) Reload(context.Context, ReloadOptions) (Reload, error) { return Reload{}, r.why }
func (r *refusing) Keep(context.Context) error                            { return r.why }
func (r *refusing) Rollback(context.Context, int64) (Reload, error)       { return Reload{}, r.why }
func (r *refusing) Generation(context.Context, int64) (Generation, error) {
	return Generation{}, r.why
}

func TestReload(t *testing.T) {
	want := Reload{
		OK: true, Generation: 7, Kept: 3, Daemon: []string{"log"}, ReadMS: 1.5, SwapMS: 0.25,
		Changes: []Change{{Address: "sink.http.a", Action: "restart", Reasons: []string{"timeout changed"}, State: "waits", From: "sink.http.b"}},
	}
	c, _ := start(t, &fake{outcome: want})
	got, err := c.Reload(t.Context(), ReloadOptions{})
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	by := time.Unix(300, 0)
	got, err = c.Reload(t.Context(), ReloadOptions{Confirm: 5 * time.Minute})
	if err != nil || got.KeepBy == nil || !got.KeepBy.Equal(by) {
		t.Errorf("%+v %v", got, err)
	}
	if got, err = c.Rollback(t.Context(), 4); err != nil || got.Generation != 4 {
		t.Errorf("%+v %v", got, err)
	}
}

func TestPlanAndGenerations(t *testing.T) {
	all := []Generation{{Number: 2, Origin: "reload", Running: true}, {Number: 1, Origin: "start"}}
	c, _ := start(t, &fake{plan: Plan{Changes: []Change{}, Daemon: []string{}, Kept: 5}, generations: all})
	p, err := c.Plan(t.Context(), "")
	if err != nil || p.Kept != 5 || p.Error != "" {
		t.Errorf("%+v %v", p, err)
	}
	const path = "/etc/a b&path=/c.hcl"
	if p, err = c.Plan(t.Context(), path); err != nil || p.Error != "planned for "+path {
		t.Errorf("%+v %v", p, err)
	}
	list, err := c.Generations(t.Context())
	if diff := cmp.Diff(all, list); diff != "" || err != nil {
		t.Error(diff, err)
	}
	for n, want := range map[int64]int64{0: 2, -1: 1, 1: 1} {
		if g, err := c.Generation(t.Context(), n); err != nil || g.Number != want {
			t.Errorf("%d: %+v %v", n, g, err)
		}
	}
}

// What a daemon refuses has a status that scripts can tell apart.
func TestConfigRefusals(t *testing.T) {
	for _, tc := range []struct {
		why    error
		status int
	}{
		{ErrStopping, http.StatusServiceUnavailable},
		{fmt.Errorf("%w: generation 9", ErrNotFound), http.StatusNotFound},
		{ErrNothingToKeep, http.StatusConflict},
		{fmt.Errorf("%w: at a.hcl:3", ErrLacksSecrets), http.StatusConflict},
		{errors.New("disk I/O error"), http.StatusInternalServerError},
	} {
		c, _ := start(t, &refusing{why: tc.why})
		_, reload := c.Reload(t.Context(), ReloadOptions{})
		_, rollback := c.Rollback(t.Context(), 1)
		_, generation := c.Generation(t.Context(), 1)
		for what, err := range map[string]error{"reload": reload, "keep": c.Keep(t.Context()), "rollback": rollback, "generation": generation} {
			var p *Problem
			if !errors.As(err, &p) || p.Status != tc.status || p.Detail != tc.why.Error() {
				t.Errorf("%s with %v: %#v", what, tc.why, err)
			}
		}
	}
}

// What curl may send: nothing, or something wrong. Every error is a Problem.
func TestConfigRequests(t *testing.T) {
	c, _ := start(t, &fake{outcome: Reload{OK: true, Generation: 3}, generations: []Generation{{Number: 1}}})
	for _, tc := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"POST", "/v1/reload", "", 200, `"generation":3`},
		{"POST", "/v1/reload", "{}", 200, `"ok":true`},
		{"POST", "/v1/reload", `{"force":true}`, 400, `unknown field`},
		{"POST", "/v1/reload", `{"confirm":-1}`, 400, "cannot be negative"},
		{"POST", "/v1/reload", `{"confirm":"5m"}`, 400, "read request"},
		{"POST", "/v1/reload", `{`, 400, "read request"},
		{"GET", "/v1/reload", "", 405, "GET /v1/reload is nothing that can be asked for"},
		{"POST", "/v1/rollback", "", 200, `"generation":0`},
		{"POST", "/v1/rollback", `{"number":4}`, 400, "unknown field"},
		{"POST", "/v1/keep", "", 409, "no reload waits to be kept"},
		{"GET", "/v1/configs/x", "", 400, "not the number of a generation"},
		{"GET", "/v1/configs/99", "", 404, "no such entry"},
		{"GET", "/v1/nope", "", 404, "GET /v1/nope is nothing"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), tc.method, "http://syncd"+tc.path, strings.NewReader(tc.body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := c.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(res.Body)
		res.Body.Close()
		kind := "application/json"
		if tc.status >= 400 {
			kind = "application/problem+json"
		}
		if res.StatusCode != tc.status || res.Header.Get("Content-Type") != kind || !strings.Contains(string(b), tc.says) {
			t.Errorf("%s %s %s: %s %s %s", tc.method, tc.path, tc.body, res.Status, res.Header.Get("Content-Type"), b)
		}
		if allow := res.Header.Get("Allow"); (allow == "POST") != (tc.status == 405) {
			t.Errorf("%s %s: Allow %q", tc.method, tc.path, allow)
		}
	}
}
