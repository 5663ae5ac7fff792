package simulation

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

var (
	seedFlag  = flag.Uint64("seed", 0, "the seed that TestSeed runs")
	seedsFlag = flag.Int("seeds", 0, "how many seeds TestHistories runs; default 50, 2000 with SYNCD_CHECK=1, 30 under the race detector")
	firstFlag = flag.Uint64("first", 1, "the first of them")
	storyFlag = flag.Bool("story", false, "TestSeed prints all that happens")
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func seeds() int {
	switch {
	case *seedsFlag > 0:
		return *seedsFlag
	case racing:
		return 30
	case os.Getenv("SYNCD_CHECK") != "":
		return 2000
	}
	return 50
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
	if _, err := run(t, s, nil, false); err != nil {
		t.Errorf("%v\nseed %d; again: go test ./engine/simulation -run TestSeed -seed %d", err, s, s)
	}
}

// TestSeed runs one seed again: -seed N, and -story to see all that happens.
func TestSeed(t *testing.T) {
	if *seedFlag == 0 {
		t.Skip("no -seed given")
	}
	story, err := run(t, seed(*seedFlag), nil, *storyFlag)
	if *storyFlag {
		fmt.Println(story)
	}
	if err != nil {
		t.Errorf("%v\nseed %d", err, *seedFlag)
	}
}

// TestSameSeed shows that a seed decides everything: its histories are alike. In seeds
// that are not here, lanes come to the journal at one instant; which of them is first is
// up to the scheduler, and both histories are checked alike.
func TestSameSeed(t *testing.T) {
	for _, s := range []seed{1, 2, 3, 5, 6, 8, 9, 12, 13, 14, 19, 20} {
		if newPlan(s).crowded(s) {
			continue
		}
		first, _ := run(t, s, nil, true)
		second, _ := run(t, s, nil, true)
		if diff := cmp.Diff(strings.Split(first, "\n"), strings.Split(second, "\n")); diff != "" {
			t.Errorf("seed %d tells two stories (-first +second):\n%s", s, diff)
		}
	}
}

// once are seeds that once showed a fault; a change of the simulation that gives
// them other histories leaves them harmless.
var once = []seed{17, 97, 181, 189, 204, 252, 257, 316, 603, 633, 884, 907, 951, 980, 1077, 1847, 2024, 2156}

// TestRegressions runs the seeds that once failed.
func TestRegressions(t *testing.T) {
	for _, s := range once {
		check(t, s)
	}
}
