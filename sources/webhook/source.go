package webhook

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"github.com/syncd/syncd/engine/component"
)

// source is one webhook. It is driven by its listener; what it holds never
// changes once it is mounted.
type source struct {
	env       component.Env
	config    *Config
	intake    component.Intake
	params    []string
	verifiers []verifier
	traces    []traces
	hide      map[string]bool // headers that are left out of meta, canonical
	limiter   *rate.Limiter   // nil: no limit
	decoders  *semaphore.Weighted
	complain  atomic.Int64 // when a failing intake may be logged again, Unix nanoseconds
}

var (
	_ component.Source  = (*source)(nil)
	_ component.Mounter = (*source)(nil)
	_ http.Handler      = (*source)(nil)
)

func open(env component.Env, c *Config) (component.Source, error) {
	s := &source{
		env: env, config: c, params: parameters(c.Path),
		hide: map[string]bool{"Authorization": true, "Cookie": true, "Proxy-Authorization": true},
		// Checking a body other than JSON unfolds it to many times its size.
		decoders: semaphore.NewWeighted(int64(runtime.GOMAXPROCS(0))),
	}
	for _, v := range c.Verify {
		verifier, err := v.verifier()
		if err != nil {
			return nil, err
		}
		t := verifier.traces()
		s.verifiers, s.traces = append(s.verifiers, verifier), append(s.traces, t)
		for _, h := range t.headers {
			s.hide[h] = true
		}
	}
	if r := c.RateLimit; r.IsSet() {
		s.limiter = rate.NewLimiter(rate.Limit(float64(r.N)/r.Per.Seconds()), r.N)
	}
	return s, nil
}

// Mount gives the listener its routes.
func (s *source) Mount(in component.Intake) (component.Ref, []component.Route) {
	s.intake = in
	return s.config.Listener, []component.Route{{Methods: s.config.Methods, Path: s.config.Path, Handler: s}}
}

// Run has nothing to do: the listener calls.
func (s *source) Run(ctx context.Context, _ component.Intake) error {
	<-ctx.Done()
	return nil
}

// ServeHTTP takes one request.
func (s *source) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := newExchange(s, w, r)
	defer x.close()
	if p := x.handle(); p != nil {
		x.refuse(p)
	}
}

// allowed tells whether a client may send at all.
func (s *source) allowed(client netip.Addr) bool {
	return len(s.config.AllowIPs) == 0 || slices.ContainsFunc(s.config.AllowIPs, func(n netip.Prefix) bool {
		return n.Masked().Contains(client)
	})
}

// wait is how long the rate limit keeps a request off, 0 for not at all. Only
// with take does the request count: strangers must not use up the senders' share.
func (s *source) wait(take bool) time.Duration {
	if s.limiter == nil {
		return 0
	}
	now := time.Now()
	if take && s.limiter.AllowN(now, 1) {
		return 0
	}
	missing := 1 - s.limiter.TokensAt(now)
	if missing <= 0 && !take {
		return 0
	}
	return max(time.Millisecond, time.Duration(missing/float64(s.limiter.Limit())*float64(time.Second)))
}

// wants says what a sender who was refused should have shown.
func (s *source) wants() string {
	var list []string
	for _, t := range s.traces {
		if !slices.Contains(list, t.wants) {
			list = append(list, t.wants)
		}
	}
	return fmt.Sprintf("this webhook wants %s; it was missing or wrong", strings.Join(list, ", or "))
}

// holdsSecret tells whether a text holds something that a sender authenticated with.
func (s *source) holdsSecret(text string) bool {
	for i := range s.traces {
		for _, v := range s.traces[i].values {
			if strings.Contains(text, v) {
				return true
			}
		}
	}
	return false
}
