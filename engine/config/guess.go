package config

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"unicode"
)

// What people write for the units that there are.
var (
	spokenDurations = map[string]string{
		"": "s", "ms": "ms", "msec": "ms", "millis": "ms", "millisecond": "ms", "milliseconds": "ms",
		"s": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s",
		"m": "m", "min": "m", "mins": "m", "minute": "m", "minutes": "m",
		"h": "h", "hr": "h", "hrs": "h", "hour": "h", "hours": "h", "d": "d", "day": "d", "days": "d",
	}
	spokenSizes = map[string]string{
		"": "B", "b": "B", "byte": "B", "bytes": "B", "k": "KiB", "kb": "KB", "kib": "KiB", "m": "MiB", "mb": "MB", "mib": "MiB", "megabyte": "MB", "megabytes": "MB", "kilobytes": "KB", "gigabyte": "GB", "gigabytes": "GB",
		"g": "GiB", "gb": "GB", "gib": "GiB", "t": "TiB", "tb": "TB", "tib": "TiB",
	}
	spokenRates = map[string]string{
		"": "s", "s": "s", "sec": "s", "second": "s", "rps": "s", "m": "m", "min": "m", "minute": "m", "rpm": "m", "h": "h", "hr": "h", "hour": "h",
	}
)

// spoken is a number with what stands behind it.
var spoken = regexp.MustCompile(`^([0-9]+(?:[.,][0-9]+)?)[\s_]*([a-zA-Z]*)$`)

// guessUnit is the sentence about what s, a duration, size or rate, was most likely
// meant to be; "" where nobody can tell.
func guessUnit(t reflect.Type, s string) string {
	guess := ""
	s = strings.TrimSpace(s)
	switch t {
	case durationType:
		guess = guessDuration(s)
		if _, err := parseDuration(guess); err != nil {
			guess = ""
		}
	case sizeType:
		guess = respell(s, spokenSizes)
	case rateType:
		guess = guessRate(s)
	}
	if guess == "" || guess == s {
		return ""
	}
	return fmt.Sprintf("Did you mean %q?", guess)
}

// respell writes a number and its unit as they are written here.
func respell(s string, units map[string]string) string {
	m := spoken.FindStringSubmatch(s)
	if m == nil {
		return ""
	}
	unit, ok := units[strings.ToLower(m[2])]
	if !ok {
		return ""
	}
	return strings.ReplaceAll(m[1], ",", ".") + unit
}

// smaller is the unit that a last number without one has, as in "1h30".
var smaller = map[string]string{"d": "h", "h": "m", "m": "s", "s": "ms"}

// guessDuration reads several numbers in a row: "1 hour 30 min", "1h30".
func guessDuration(s string) string {
	if weeks := week.FindStringSubmatch(s); weeks != nil {
		n := 0
		_, _ = fmt.Sscan(weeks[1], &n) // a number too long is none
		return fmt.Sprintf("%dd", 7*n)
	}
	var all, last string
	for _, part := range amounts.FindAllString(s, -1) {
		one := respell(part, spokenDurations)
		if last != "" && strings.TrimFunc(part, isDigit) == "" {
			one = part + smaller[last]
		}
		if one == "" {
			return ""
		}
		last = strings.TrimLeft(one, "0123456789.")
		all += one
	}
	if rest := amounts.ReplaceAllString(s, ""); strings.Trim(rest, " ,") != "" {
		return ""
	}
	return all
}

func isDigit(r rune) bool { return unicode.IsDigit(r) }

var (
	week    = regexp.MustCompile(`^([0-9]{1,4})\s*(?:w|wk|weeks?)$`)
	amounts = regexp.MustCompile(`[0-9]+(?:[.,][0-9]+)?(?:[\s_]*[a-zA-Z]+)?`)
)

// guessRate reads "10 per second", "10/sec", "10rps".
func guessRate(s string) string {
	m := rates.FindStringSubmatch(s)
	if m == nil {
		return ""
	}
	per, ok := spokenRates[strings.ToLower(m[2])]
	if !ok {
		return ""
	}
	return m[1] + "/" + per
}

var rates = regexp.MustCompile(`^([0-9]+)\s*(?:/|per|p|a|an|each)?\s*(?:1\s*)?([a-zA-Z]*)$`)
