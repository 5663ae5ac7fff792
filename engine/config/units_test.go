package config

import (
	"testing"
	"time"

	"github.com/syncd/syncd/engine/component"
)

func TestDurations(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "15m": 15 * time.Minute, "36h": 36 * time.Hour, "7d": 168 * time.Hour, "250ms": 250 * time.Millisecond,
		"1h30m": 90 * time.Minute, "1.5h": 90 * time.Minute, "0": 0, "0s": 0,
	} {
		if got, err := parseDuration(s); err != nil || got != want {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "s", "90", "-5s", "5 s", "5y", "1h 30m", "1..5s", "999999999d", "1e3s", "5S", "٣s"} {
		if got, err := parseDuration(s); err == nil {
			t.Errorf("%q passes as %v", s, got)
		}
	}
}

func TestSizes(t *testing.T) {
	for s, want := range map[string]component.Size{
		"512KiB": 512 << 10, "5MiB": 5 << 20, "10GB": 10e9, "1TiB": 1 << 40, "1.5GiB": 3 << 29, "100B": 100, "0B": 0,
	} {
		if got, err := parseSize(s); err != nil || got != want {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "5", "5 MiB", "5mb", "MiB", "-1B", "5MiBs", "9999999TiB"} {
		if got, err := parseSize(s); err == nil {
			t.Errorf("%q passes as %v", s, got)
		}
	}
}

func TestRates(t *testing.T) {
	for s, want := range map[string]component.Rate{
		"10/s": {N: 10, Per: time.Second}, "600/m": {N: 600, Per: time.Minute}, "5/h": {N: 5, Per: time.Hour},
	} {
		if got, err := parseRate(s); err != nil || got != want {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "10", "/s", "0/s", "-1/s", "1.5/s", "10/d", "10/ s"} {
		if got, err := parseRate(s); err == nil {
			t.Errorf("%q passes as %v", s, got)
		}
	}
}
