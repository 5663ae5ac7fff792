package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// dirs are the directories that the kernel watches for us.
type dirs struct {
	log     *slog.Logger
	notify  *fsnotify.Watcher // nil: it watches nothing
	watched map[string]os.FileInfo
	add     func(string) error
	polling time.Duration
	refused bool            // some directory is not watched
	told    map[string]bool // what has been logged
}

func newDirs(log *slog.Logger) *dirs {
	d := &dirs{log: log, polling: polling, watched: map[string]os.FileInfo{}, told: map[string]bool{}}
	var err error
	if d.notify, err = fsnotify.NewWatcher(); err != nil {
		d.add = func(string) error { return err }
		return d
	}
	d.add = d.notify.Add
	return d
}

func (d *dirs) close() {
	if d.notify != nil {
		_ = d.notify.Close() // nothing can be done about it
	}
}

func (d *dirs) events() <-chan fsnotify.Event {
	if d.notify == nil {
		return nil
	}
	return d.notify.Events
}

func (d *dirs) errors() <-chan error {
	if d.notify == nil {
		return nil
	}
	return d.notify.Errors
}

// every is how often to look without being told.
func (d *dirs) every() time.Duration {
	if d.refused {
		return d.polling
	}
	return safety
}

// watch makes want the directories that are watched, parents first, and tells
// whether any of them is watched only from now on.
func (d *dirs) watch(want map[string]os.FileInfo) bool {
	for dir := range d.watched {
		if want[dir] == nil {
			d.drop(dir)
		}
	}
	d.refused = false
	fresh := false
	for _, dir := range slices.Sorted(maps.Keys(want)) {
		if have := d.watched[dir]; have != nil && os.SameFile(have, want[dir]) {
			continue
		}
		d.drop(dir)
		switch err := d.add(dir); {
		case err == nil:
			d.watched[dir], fresh = want[dir], true
		case errors.Is(err, fs.ErrNotExist):
			fresh = true // it has just gone: its parent must be looked at again
		default:
			d.refused = true
			d.tell(fmt.Sprintf("files of the configuration are looked at every %s, since the kernel does not tell of changes", d.polling), advice(dir, err))
		}
	}
	return fresh
}

// drop ends the watch of dir; one that has ended by itself is no error.
func (d *dirs) drop(dir string) {
	if d.watched[dir] != nil {
		_ = d.notify.Remove(dir)
		delete(d.watched, dir)
	}
}

// lost takes an error of the kernel's queue. Whatever was lost is found by
// looking at everything with new watches.
func (d *dirs) lost(err error) {
	for dir := range d.watched {
		d.drop(dir)
	}
	d.tell("changes of files were lost; all were looked at again", advice("", err))
}

// tell logs once for each cause.
func (d *dirs) tell(message string, cause error) {
	if !d.told[cause.Error()] {
		d.told[cause.Error()] = true
		d.log.Warn(message, "cause", cause)
	}
}

// advice says of an error of the kernel what to do about it.
func advice(dir string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return errors.New("all watches of this user are in use: raise them with sysctl fs.inotify.max_user_watches=524288")
	case errors.Is(err, syscall.EMFILE):
		return errors.New("all watchers of this user are in use: raise them with sysctl fs.inotify.max_user_instances=512")
	case errors.Is(err, fsnotify.ErrEventOverflow):
		return errors.New("more happened at one time than the kernel keeps in mind: raise that with sysctl fs.inotify.max_queued_events=65536")
	case dir != "":
		return fmt.Errorf("watch %s: %w", dir, err)
	}
	return err
}
