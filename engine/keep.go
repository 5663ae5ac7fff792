package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/config"
)

// pending is a configuration that must be kept in time.
type pending struct {
	back  int64 // the generation that comes back
	by    time.Time
	timer *time.Timer
	again time.Duration // until the next attempt to bring it back
}

// Pauses between attempts to bring a configuration back.
const (
	firstPause = time.Second
	mostPause  = time.Minute
)

// Keep confirms a reload.
func (e *engine) Keep(ctx context.Context) error {
	if err := e.takeTurn(ctx); err != nil {
		return err
	}
	defer e.endTurn()
	if e.pending.Load() == nil {
		return admin.ErrNothingToKeep
	}
	e.settleKeep()
	e.pin(nil)
	e.log.Info("configuration kept", "generation", e.graph.Load().generation)
	return nil
}

// net is what must be done before files are taken over that are to be kept within
// that time: from then on a restart begins with what ran before, so that a
// configuration that kills the daemon goes back too. nil: nothing.
func (e *engine) net(before *graph, files *config.Reading, within time.Duration) func() error {
	if within <= 0 {
		return nil
	}
	return func() error {
		if sameTexts(before.reading.Texts, files.Texts) {
			return errors.New("what has changed are files that the configuration reads, a table or a certificate, say; no earlier state of them is kept, so that --confirm could not bring it back: reload without it")
		}
		return e.tryPin(&hold{e.lastKept(), files})
	}
}

// lastKept is the generation that a net catches with: the last that need not be kept.
func (e *engine) lastKept() int64 {
	if p := e.pending.Load(); p != nil {
		return p.back
	}
	return e.graph.Load().generation
}

// awaitKeep brings the generation back that is held, unless Keep comes in time.
func (e *engine) awaitKeep(within time.Duration) *time.Time {
	e.settleKeep()
	p := &pending{back: e.held.generation, by: now().Add(within), again: firstPause}
	p.timer = time.AfterFunc(within, func() { e.notKept(p) })
	e.pending.Store(p)
	e.log.Warn("the configuration goes back unless it is kept: syncd reload --keep", "within", within, "back_to", p.back)
	return &p.by
}

// settleKeep ends the waiting, if there is any.
func (e *engine) settleKeep() {
	if p := e.pending.Swap(nil); p != nil {
		p.timer.Stop()
	}
}

// notKept brings the old configuration back, and tries again where it cannot.
func (e *engine) notKept(p *pending) {
	if e.takeTurn(e.abort) != nil {
		return
	}
	defer e.endTurn()
	if e.pending.Load() != p {
		return // it was kept, or another reload has come
	}
	out, err := e.rollback(e.abort, p.back, fmt.Sprintf("not kept, back to %d", p.back))
	if err == nil && !out.OK {
		err = errors.New(out.Error)
	}
	if err != nil {
		e.log.Error("the configuration was not kept, but the old one does not come back yet", "text_of", p.back, "error", err, "again_in", p.again)
		p.timer.Reset(p.again)
		p.again = min(2*p.again, mostPause)
		return
	}
	e.pending.Store(nil)
	e.log.Warn("the configuration was not kept: the old one runs again", "generation", out.Generation, "text_of", p.back)
}
