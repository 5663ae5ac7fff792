package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/syncd/syncd/engine/admin"
)

// daemonTimeout is for all that is asked of the daemon.
const daemonTimeout = 5 * time.Second

// checkDaemon asks the running daemon how it fares.
func (e *exam) checkDaemon(ctx context.Context) {
	const check = "daemon"
	ctx, cancel := context.WithTimeout(ctx, daemonTimeout)
	defer cancel()
	dir := ""
	if e.cfg != nil {
		dir = absolute(e.cfg.Daemon.StateDir)
	}
	c, err := e.Dial(ctx, dir)
	if err != nil {
		e.warn(check, silence(err), "")
		return
	}
	defer c.Close()
	s, err := c.Status(ctx)
	if err != nil {
		e.fail(check, "it runs, but does not tell how it fares: "+err.Error(), "Look into its log.")
		return
	}
	if dir != "" && s.StateDir != dir {
		e.warn(check, fmt.Sprintf("pid %d runs with another state directory, %s: it is not the one of this configuration", s.PID, s.StateDir),
			"Say which one you mean with -c and --socket.")
		return
	}
	e.daemon = &s
	for _, f := range condition(s) {
		e.add(f)
	}
}

// silence is why no daemon answers.
func silence(err error) string {
	var u *admin.UnreachableError
	if errors.As(err, &u) {
		for i, cause := range u.Causes {
			if errors.Is(cause, fs.ErrPermission) {
				return "it cannot be asked by this user: " + u.Places[i].Path + " is for the daemon's own user and root"
			}
		}
	}
	return "it does not run"
}

// condition is what a running daemon says that somebody should look at.
func condition(s admin.Status) (list []Finding) {
	const check = "daemon"
	bad := func(l Level, advice, format string, args ...any) {
		list = append(list, Finding{l, check, fmt.Sprintf(format, args...), advice})
	}
	if s.NotAccepting != "" {
		bad(Error, "Make room; it accepts again by itself.", "nothing is accepted: %s", s.NotAccepting)
	}
	if s.Stale != nil {
		bad(Warning, "Mend what that names and save; syncd plan tells what the files would do, syncd reload takes them over.",
			"it runs an older configuration than the files, generation %d, since %s: %s", s.Generation, s.Stale.Since.Local().Format(time.DateTime), s.Stale.Reason)
	}
	if s.KeepBy != nil {
		bad(Warning, "syncd reload --keep keeps it.", "its configuration goes back at %s unless it is kept", s.KeepBy.Local().Format(time.TimeOnly))
	}
	var dead int64
	for _, x := range s.Sources {
		dead += x.Dead
		switch {
		case x.State == admin.Failed:
			bad(Error, "It is run again by itself; mend what the error names.", "%s has failed: %s", x.Address, x.LastError)
		case x.LastError != "":
			bad(Error, "It is tried again by itself; mend what the error names.", "runs of %s fail: %s", x.Address, x.LastError)
		case x.Stale:
			bad(Warning, "Ask its senders, or change its expect_every.", "%s has been silent for longer than expect_every", x.Address)
		}
	}
	for _, f := range s.Flows {
		dead += f.Dead
	}
	for _, l := range s.Lanes {
		switch l.State {
		case admin.Stopped:
			bad(Error, "It goes on by itself when a probe succeeds; nothing is lost.", "lane %s > %s is stopped, %d events wait: %s", l.Flow, l.Sink, l.Backlog+l.Waiting, l.LastError)
		case admin.Orphaned:
			bad(Warning, "Put its flow or sink back, or give it up: syncd lane drop.", "lane %s > %s has no flow or sink any more, %d events wait", l.Flow, l.Sink, l.Backlog+l.Waiting)
		}
	}
	if dead > 0 {
		bad(Warning, "syncd dead list shows them; syncd dead retry, or drop.", "dead letters: %d", dead)
	}
	if list == nil {
		list = append(list, Finding{OK, check, fmt.Sprintf("pid %d, %s", s.PID, s.Line()), ""})
	}
	return list
}
