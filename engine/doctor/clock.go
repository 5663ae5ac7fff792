package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// checkClock tells whether the time can be right, and whether somebody keeps it so.
// Ids of events carry it, and retries, expiry and signatures go by it.
func (e *exam) checkClock() {
	last := time.Time{}
	if e.cfg != nil {
		last = lastEvent(absolute(e.cfg.Daemon.StateDir))
	}
	if e.daemon != nil {
		for _, s := range e.daemon.Sources {
			if s.LastEvent != nil && s.LastEvent.After(last) {
				last = *s.LastEvent
			}
		}
	}
	e.add(clock(e.Now, e.Built, last, synchronized("/run/systemd/timesync/synchronized")))
}

// lastEvent is when the journal was written last.
func lastEvent(dir string) (last time.Time) {
	for _, name := range []string{"journal.db", "journal.db-wal"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	return last
}

// synchronized tells whether the clock follows another: systemd-timesyncd leaves a
// file, and the kernel knows by adjtimex(2).
func synchronized(flag string) bool {
	if _, err := os.Stat(flag); !errors.Is(err, fs.ErrNotExist) {
		return true
	}
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	return err == nil && state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0
}

// clock judges the time now by what must have been before.
func clock(now, built, last time.Time, synchronized bool) Finding {
	const check = "clock"
	const advice = "Set the clock, and have systemd-timesyncd or chrony keep it: timedatectl set-ntp true."
	stamp := now.UTC().Format(time.RFC3339)
	switch {
	case now.Before(built):
		return Finding{Error, check, fmt.Sprintf("it is %s, before this program was made (%s)", stamp, built.UTC().Format(time.DateOnly)), advice}
	case now.Before(last.Add(-time.Second)):
		return Finding{Error, check, fmt.Sprintf("it is %s, before the journal's last event (%s)", stamp, last.UTC().Format(time.RFC3339)), advice}
	case !synchronized:
		return Finding{Warning, check, fmt.Sprintf("it is %s, and nobody keeps it right", stamp), advice}
	}
	return Finding{OK, check, fmt.Sprintf("it is %s, kept by NTP", stamp), ""}
}
