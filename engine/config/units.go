package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/component"
)

// unit is one that a number may carry, largest first in its table.
type unit struct {
	name string
	is   float64
}

var durationUnits = []unit{
	{"d", float64(24 * time.Hour)}, {"h", float64(time.Hour)}, {"ms", float64(time.Millisecond)},
	{"m", float64(time.Minute)}, {"s", float64(time.Second)},
}

var sizeUnits = []unit{
	{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1},
}

const (
	durationForm = `A duration is a number with a unit: "250ms", "90s", "15m", "36h", "7d" or "1h30m".`
	sizeForm     = `A size is a number with a unit: "512KiB", "5MiB" or "10GB".`
	rateForm     = `A rate is a number per second, minute or hour: "10/s", "600/m" or "1000/h".`
)

// parseDuration reads "90s", "15m", "36h", "7d", and several in a row: "1h30m".
func parseDuration(s string) (time.Duration, error) {
	if s == "0" {
		return 0, nil
	}
	total, rest := 0.0, s
	for first := true; first || rest != ""; first = false {
		n, unit, after, err := quantity(rest, durationUnits)
		if err != nil {
			return 0, err
		}
		total += n * unit.is
		rest = after
	}
	if total >= math.MaxInt64 {
		return 0, fmt.Errorf("%q is too long", s)
	}
	return time.Duration(total), nil
}

// parseSize reads "512KiB", "5MiB", "10GB".
func parseSize(s string) (component.Size, error) {
	n, unit, rest, err := quantity(s, sizeUnits)
	switch {
	case err != nil:
		return 0, err
	case rest != "":
		return 0, fmt.Errorf("%q is not understood", rest)
	case n*unit.is >= math.MaxInt64:
		return 0, fmt.Errorf("%q is too large", s)
	}
	return component.Size(n * unit.is), nil
}

// parseRate reads "10/s", "600/m", "1000/h".
func parseRate(s string) (component.Rate, error) {
	number, per, ok := strings.Cut(s, "/")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 1 {
		return component.Rate{}, fmt.Errorf("%q is not understood", s)
	}
	switch per {
	case "s":
		return component.Rate{N: n, Per: time.Second}, nil
	case "m":
		return component.Rate{N: n, Per: time.Minute}, nil
	case "h":
		return component.Rate{N: n, Per: time.Hour}, nil
	}
	return component.Rate{}, fmt.Errorf("%q is no unit of rates", per)
}

// quantity reads a number and a unit at the beginning of s.
func quantity(s string, units []unit) (n float64, u unit, rest string, err error) {
	digits := len(s) - len(strings.TrimLeft(s, "0123456789."))
	n, err = strconv.ParseFloat(s[:digits], 64)
	if err != nil || math.IsInf(n, 0) {
		return 0, u, "", fmt.Errorf("%q does not begin with a number", s)
	}
	for _, u := range units {
		if after, ok := strings.CutPrefix(s[digits:], u.name); ok {
			return n, u, after, nil
		}
	}
	if s[digits:] == "" {
		return 0, u, "", fmt.Errorf("%q has no unit", s)
	}
	return 0, u, "", fmt.Errorf("%q is not one of the units here", s[digits:])
}
