package http

import (
	nethttp "net/http"
	"strings"
	"testing"
	"time"
)

func TestPause(t *testing.T) {
	now := time.Unix(1_773_480_000, 0).UTC() // 2026-03-14 09:20:00
	for head, want := range map[string]time.Duration{
		"":                 0,
		"Retry-After: 120": 2 * time.Minute,
		"Retry-After: 1.5": 1500 * time.Millisecond,
		"Retry-After: -1":  0,
		"Retry-After: Sat, 14 Mar 2026 09:21:00 GMT":                 time.Minute,
		"Retry-After: Sat, 14 Mar 2026 09:19:00 GMT":                 0,
		"Retry-After: 1e300":                                         24 * time.Hour,
		"Retry-After: NaN":                                           0,
		"Retry-After: soon":                                          0,
		"Retry-After: 5\nRateLimit-Remaining: 0\nRateLimit-Reset: 9": 9 * time.Second,

		"RateLimit-Remaining: 0\nRateLimit-Reset: 30":                       30 * time.Second,
		"RateLimit-Remaining: 1\nRateLimit-Reset: 30":                       0,
		"RateLimit-Remaining: 0":                                            0,
		"X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 1773480060":           time.Minute, // GitHub
		"x-rate-limit-remaining: 0\nx-rate-limit-reset: 177348003":          24 * time.Hour,
		"X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 1773480060000":        time.Minute,
		"X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 1773479000":           0,
		"X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 2026-03-14T09:20:30Z": 30 * time.Second,

		`RateLimit: "default";r=0;t=30`:                      30 * time.Second,
		`RateLimit: "default";r=50;t=30`:                     0,
		`RateLimit: "burst";r=3;t=1, "day";t=600;r=0`:        10 * time.Minute,
		`RateLimit: "a;r=0;t=99", "b,c";r=5;t=7`:             0,
		"RateLimit: \"a\";r=5;t=7\nRateLimit: \"b\";r=0;t=8": 8 * time.Second,
		"RateLimit: limit=100, remaining=0, reset=5":         5 * time.Second,
		"RateLimit: limit=100, remaining=10, reset=5":        0,
		`RateLimit: "default";r=0`:                           0,
		`RateLimit: ";;;,,="`:                                0,
	} {
		h := nethttp.Header{}
		for line := range strings.SplitSeq(head, "\n") {
			if name, value, ok := strings.Cut(line, ": "); ok {
				h.Add(name, value)
			}
		}
		if got := Pause(h, now); got != want {
			t.Errorf("%q: %s, want %s", head, got, want)
		}
	}
}

func FuzzPause(f *testing.F) {
	f.Add("120", `"default";r=0;t=30`, "0", "1773480060")
	f.Add("Sat, 14 Mar 2026 09:21:00 GMT", "limit=1, remaining=0, reset=5", "0", "2026-03-14T09:20:30Z")
	f.Fuzz(func(t *testing.T, after, limit, remaining, reset string) {
		h := nethttp.Header{"Retry-After": {after}, "Ratelimit": {limit}, "X-Ratelimit-Remaining": {remaining}, "X-Ratelimit-Reset": {reset}}
		if got := Pause(h, time.Unix(1_773_480_000, 0)); got < 0 || got > longestPause {
			t.Errorf("%v: %s", h, got)
		}
	})
}
