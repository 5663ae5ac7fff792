package simulation

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"

	"go.uber.org/goleak"
)

var (
	seedFlag  = flag.Uint64("seed", 0, "the seed that TestSeed runs")
	seedsFlag = flag.Int("seeds", 0, "how many seeds TestHistories runs; default 150, 5000 with SYNCD_CHECK=1")
	firstFlag = flag.Uint64("first", 1, "the first of them")
	storyFlag = flag.Bool("story", false, "TestSeed prints all that happens")
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func seeds() int {
	switch {
	case *seedsFlag > 0:
		return *seedsFlag
	case os.Getenv("SYNCD_CHECK") != "":
		return 5000
	}
	return 150
}

// TestHistories searches seeds for broken promises.
func TestHistories(t *testing.T) {
	next := make(chan seed)
	go func() {
		defer close(next)
		for i := range seeds() {
			next <- seed(*firstFlag + uint64(i))
		}
	}()
	for i := range runtime.GOMAXPROCS(0) {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			for s := range next {
				check(t, s)
			}
		})
	}
}

func check(t *testing.T, s seed) {
	t.Helper()
	if err, _ := run(t, s, nil, false); err != nil {
		t.Errorf("%v\nseed %d; again: go test ./engine/simulation -run TestSeed -seed %d", err, s, s)
	}
}

// TestSeed runs one seed again: -seed N, and -story to see all that happens.
func TestSeed(t *testing.T) {
	if *seedFlag == 0 {
		t.Skip("no -seed given")
	}
	err, story := run(t, seed(*seedFlag), nil, *storyFlag)
	if *storyFlag {
		fmt.Println(story)
	}
	if err != nil {
		t.Errorf("%v\nseed %d", err, *seedFlag)
	}
}
