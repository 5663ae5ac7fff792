package doctor

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// leastFiles should be open at a time: each request and each delivery takes one.
const leastFiles = 4096

// checkDescriptors looks at how many files the daemon may have open.
func (e *exam) checkDescriptors() {
	var limit int64
	open := 0
	switch {
	case e.daemon != nil:
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", e.daemon.PID))
		if err != nil {
			return
		}
		limit = openFiles(string(text))
		entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", e.daemon.PID)) // root and its own user may
		open = len(entries)
	case e.Unit != nil && e.Unit.Value("LimitNOFILE") != "":
		_, hard, both := strings.Cut(e.Unit.Value("LimitNOFILE"), ":")
		if !both {
			hard = e.Unit.Value("LimitNOFILE")
		}
		limit, _ = strconv.ParseInt(hard, 10, 64) // "infinity" is 0: no limit
	default:
		var r unix.Rlimit
		if unix.Getrlimit(unix.RLIMIT_NOFILE, &r) != nil {
			return
		}
		limit = int64(min(r.Max, 1<<40))
	}
	e.add(descriptors(limit, open))
}

// openFiles reads the limit, which Go raises to the hard one, from proc_pid_limits(5);
// 0: none.
func openFiles(limits string) int64 {
	for line := range strings.Lines(limits) {
		if rest, ok := strings.CutPrefix(line, "Max open files"); ok {
			if f := strings.Fields(rest); len(f) >= 2 {
				n, _ := strconv.ParseInt(f[1], 10, 64)
				return n
			}
		}
	}
	return 0
}

func descriptors(limit int64, open int) Finding {
	const check = "descriptors"
	const advice = "Raise it: LimitNOFILE=65536 in the unit, or ulimit -n."
	switch {
	case limit == 0:
		return Finding{OK, check, "as many files as it likes may be open", ""}
	case int64(open) > limit*8/10:
		return Finding{Error, check, fmt.Sprintf("%d files of %d are open", open, limit), advice}
	case limit < leastFiles:
		return Finding{Warning, check, fmt.Sprintf("only %d files may be open at a time", limit), advice}
	}
	return Finding{OK, check, fmt.Sprintf("%d files may be open at a time", limit), ""}
}
