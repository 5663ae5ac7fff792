package http

import (
	nethttp "net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// longestPause that a server may ask for; more is a mistake of its clock.
const longestPause = 24 * time.Hour

// Pause tells from the head of an answer that came at now how long its server wants
// to be left alone, 0 if it does not say:
//
//   - Retry-After, in seconds or as a date (RFC 9110, section 10.2.3);
//   - RateLimit, once its quota is used up (draft-ietf-httpapi-ratelimit-headers, the
//     form of today, "default";r=0;t=30, and the one before, remaining=0, reset=30);
//   - RateLimit-, X-RateLimit- and X-Rate-Limit-Remaining of 0 with its -Reset, in
//     seconds from now, as a time of Unix (GitHub), or as a date.
func Pause(h nethttp.Header, now time.Time) time.Duration {
	wait := until(h.Get("Retry-After"), now)
	wait = max(wait, quota(strings.Join(h.Values("RateLimit"), ",")))
	for _, prefix := range []string{"RateLimit", "X-RateLimit", "X-Rate-Limit"} {
		if left, err := strconv.ParseFloat(h.Get(prefix+"-Remaining"), 64); err == nil && left <= 0 {
			wait = max(wait, until(h.Get(prefix+"-Reset"), now))
		}
	}
	return min(wait, longestPause)
}

// until reads a number of seconds, a time of Unix in seconds or milliseconds, or a date.
func until(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	n, err := strconv.ParseFloat(value, 64)
	switch {
	case err != nil:
		return untilDate(value, now)
	case !(n > 0):
		return 0
	case n > 1e11:
		return between(now, time.UnixMilli(int64(min(n, 1e15))))
	case n > 1e9:
		return between(now, time.Unix(int64(n), 0))
	}
	return time.Duration(min(n, longestPause.Seconds()) * float64(time.Second))
}

func untilDate(value string, now time.Time) time.Duration {
	if at, err := nethttp.ParseTime(value); err == nil {
		return between(now, at)
	}
	if at, err := time.Parse(time.RFC3339, value); err == nil {
		return between(now, at)
	}
	return 0
}

func between(now, at time.Time) time.Duration { return min(max(at.Sub(now), 0), longestPause) }

var (
	quoted    = regexp.MustCompile(`"(\\.|[^"\\])*"`)
	remaining = regexp.MustCompile(`(?:^|[;,\s])(?:r|remaining)\s*=\s*0+(?:$|[;,\s.])`)
	reset     = regexp.MustCompile(`(?:^|[;,\s])(?:t|reset)\s*=\s*([0-9]{1,9})`)
)

// quota reads the RateLimit field: a list of policies, each with what is left of it
// and when that is reset, or one such as a dictionary.
func quota(field string) (wait time.Duration) {
	if field == "" {
		return 0
	}
	field = quoted.ReplaceAllString(field, "")
	policies := strings.Split(field, ",")
	if strings.Contains(field, "remaining") {
		policies = []string{field}
	}
	for _, policy := range policies {
		if m := reset.FindStringSubmatch(policy); m != nil && remaining.MatchString(policy) {
			wait = max(wait, until(m[1], time.Time{}))
		}
	}
	return wait
}
