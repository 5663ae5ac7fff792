package engine

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// releaseText takes the pages of the program's own code out of what counts as memory of
// the process: most of them only the start needed. They stay in the system's cache of
// files, from which those in use come back at once; it does nothing where it cannot.
func releaseText() {
	self, err := os.Executable()
	if err != nil {
		return
	}
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return
	}
	defer maps.Close()
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var start, end uintptr
		var mode string
		n, _ := fmt.Sscanf(lines.Text(), "%x-%x %s", &start, &end, &mode)
		// Code is never written to, and so the same in the file.
		if n == 3 && mode == "r-xp" && strings.HasSuffix(lines.Text(), " "+self) {
			unix.Syscall(unix.SYS_MADVISE, start, end-start, unix.MADV_DONTNEED) //nolint:errcheck // what cannot be released stays
		}
	}
}
