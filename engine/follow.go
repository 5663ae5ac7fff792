package engine

import (
	"context"
	"sync"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/plan"
	"github.com/syncd/syncd/engine/watch"
)

// follow reloads at each SIGHUP and, if the configuration wants it, when files have
// changed. It does so until stop is called, which waits for the reload under way;
// after it, there is none any more.
func (e *engine) follow() (stop func()) {
	w := watch.New(e.log)
	e.seen = func(r *config.Reading) { e.watch(w, r) }
	e.seen(e.graph.Load().reading)
	var group sync.WaitGroup
	group.Go(func() {
		for {
			select {
			case <-e.intake.Done():
				return
			case <-e.o.Hangup:
				e.log.Info("SIGHUP: reading the configuration again")
				e.unattended(func(files *config.Reading) { e.reload(files, admin.ReloadOptions{}) })
			case paths := <-w.Changes():
				e.changed(paths)
			}
		}
	})
	return func() {
		group.Wait()
		e.turn <- struct{}{} // for good
		e.settleKeep()
		w.Close()
	}
}

func (e *engine) watch(w *watch.Watcher, r *config.Reading) {
	texts := map[string][]byte{}
	for _, t := range r.Texts {
		texts[t.Path] = t.Text
	}
	w.Set(e.o.Config, r.Depends, texts, r.Time)
}

// unattended is a reload whose outcome nobody waits for.
func (e *engine) unattended(reload func(files *config.Reading)) {
	if e.takeTurn(context.WithoutCancel(e.intake)) != nil {
		return // the daemon stops
	}
	defer e.endTurn()
	reload(e.o.Read(e.o.Config))
}

// changed is told that files read differently now.
func (e *engine) changed(paths []string) {
	if e.settings().Reload == "auto" {
		e.log.Info("files have changed: reading the configuration again", "files", paths)
		e.unattended(e.catchUp)
		return
	}
	const reason = `files have changed and reload is "manual": syncd reload takes them over`
	before := e.stale.Load()
	switch same := e.same(e.o.Read(e.o.Config)); {
	case same && before != nil: // they have been put back
		e.stale.CompareAndSwap(before, nil)
	case !same && before == nil:
		e.stale.CompareAndSwap(nil, &admin.Stale{Since: now(), Reason: reason})
		e.log.Warn(reason, "files", paths)
	}
}

// catchUp takes the files over; but where an earlier generation has been put before
// them and they are as they were then, only what that one reads has changed.
func (e *engine) catchUp(files *config.Reading) {
	if e.held == nil || e.pending.Load() != nil || !sameTexts(e.held.files.Texts, files.Texts) {
		e.reload(files, admin.ReloadOptions{})
		return
	}
	defer e.telling()()
	r := e.o.ReadTexts(e.graph.Load().reading.Texts)
	if out := e.takeOver(r, "reload", true, nil); !out.OK {
		e.failed(out, r.Diagnostics)
		return
	}
	e.stale.Store(e.held.stale())
}

// same tells whether r is what runs.
func (e *engine) same(r *config.Reading) bool {
	g := e.graph.Load()
	return r.Config != nil && sameTexts(g.reading.Texts, r.Texts) && plan.Between(g.cfg, r.Config).Empty()
}
