package main

import (
	"strings"
	"testing"
	"time"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain ñ 漢\n\t":       "plain ñ 漢\n\t",
		"\x1b[2Jgone\x07\r":   `\x1b[2Jgone\a\r`,
		"\u009b31m \u202egpj": `\u009b31m \u202egpj`,
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestShort(t *testing.T) {
	if got := short("añb\n  c", 5); got != "añb c" {
		t.Error(got)
	}
	if got := short("añbcdef", 5); got != "añbc…" {
		t.Error(got)
	}
}

func TestAgo(t *testing.T) {
	now := time.Unix(1e9, 0)
	for d, want := range map[time.Duration]string{
		0: "0s ago", 5 * time.Second: "5s ago", 90 * time.Second: "1m ago", 47 * time.Hour: "47h ago",
		49 * time.Hour: "2d ago", -time.Minute: "in 1m",
	} {
		if got := ago(now, now.Add(-d)); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

func TestSizeText(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1536: "1.5 KiB", 10 << 30: "10 GiB"} {
		if got := sizeText(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestTableAligns(t *testing.T) {
	tab := newTable("A", "NUMBER", "B")
	tab.add("ñandú", int64(7), "x")
	tab.add("y", int64(1234), "z")
	var b strings.Builder
	if err := tab.flush(&b); err != nil {
		t.Fatal(err)
	}
	want := "A      NUMBER  B\nñandú       7  x\ny        1234  z\n"
	if b.String() != want {
		t.Errorf("got:\n%s", b.String())
	}
}
