package main

import "testing"

func TestGrowth(t *testing.T) {
	for _, c := range []struct {
		soon int
		live uint64
		want int
	}{
		{busyCycles - 1, 4 << 20, restPercent},
		{busyCycles, 0, restPercent},
		{busyCycles, 4 << 20, busyPercent},
		{busyCycles, 22 << 20, busyPercent},
		{busyCycles, 25 << 20, 120},
		{busyCycles, 28 << 20, restPercent},
		{busyCycles, 500 << 20, restPercent},
	} {
		if got := growth(c.soon, c.live); got != c.want {
			t.Errorf("%d collections soon, %d MiB alive: %d %%, want %d", c.soon, c.live>>20, got, c.want)
		}
	}
}
