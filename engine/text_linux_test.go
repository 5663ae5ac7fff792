package engine

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
)

// code is how much of the test's program text counts as memory of the process, in KiB.
func code(t *testing.T) (kb int) {
	t.Helper()
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	within := false
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if strings.Contains(line, " r-xp ") {
			within = strings.HasSuffix(line, self)
		}
		if within && strings.HasPrefix(line, "Rss:") {
			fmt.Sscanf(line, "Rss: %d kB", &kb)
			return kb
		}
	}
	t.Fatal("the program's text is not mapped")
	return 0
}

func TestReleaseText(t *testing.T) {
	before := code(t)
	releaseText()
	if after := code(t); after >= before {
		t.Errorf("%d KiB of code are in memory, %d before", after, before)
	}
}
