package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/config"
)

// hold says that an earlier generation runs though the files say otherwise, or will
// after a restart unless a reload is kept. It ends with the files that it stands before.
type hold struct {
	generation int64
	files      *config.Reading
}

func (h *hold) stale() *admin.Stale {
	return &admin.Stale{Since: now(), Reason: fmt.Sprintf("generation %d was brought back; the files say something else", h.generation)}
}

// ownScope is where the daemon keeps what it must remember over a restart.
const ownScope = "daemon"

// pinKey has the hold there is, as a pin.
const pinKey = "pin"

type pin struct {
	Generation int64  `json:"generation"` // to run
	Files      string `json:"files"`      // digest of the files that it stands before
}

// pin makes h the hold that there is, nil for none. It is remembered over a restart.
func (e *engine) pin(h *hold) {
	if err := e.tryPin(h); err != nil {
		e.log.Error("a restart may begin with another configuration than the one that runs", "error", err)
		e.held = h
	}
}

// tryPin is pin that leaves all as it is where that cannot be stored.
func (e *engine) tryPin(h *hold) error {
	if h == e.held {
		return nil
	}
	if err := e.storePin(context.WithoutCancel(e.abort), h); err != nil {
		return err
	}
	e.held = h
	return nil
}

func (e *engine) storePin(ctx context.Context, h *hold) error {
	put := component.Put{Key: pinKey}
	if h != nil {
		put.Value = pin{h.generation, digest(h.files.Masked())}
	}
	if err := e.journal.Set(ctx, ownScope, []component.Put{put}); err != nil {
		return fmt.Errorf("store which configuration a restart begins with: %w", err)
	}
	return nil
}

// pinned is what the daemon starts with: the files, unless they are those that an
// earlier generation was put before.
func (e *engine) pinned(ctx context.Context, files *config.Reading) (*config.Reading, error) {
	raw, there, err := e.journal.Get(ctx, ownScope, pinKey)
	if err != nil {
		return nil, fmt.Errorf("read which configuration to start with: %w", err)
	}
	if !there {
		return files, nil
	}
	if r := e.recallPinned(ctx, raw, files); r != nil {
		return r, nil
	}
	// It must not come back with files that come back.
	if err := e.storePin(ctx, nil); err != nil {
		e.log.Error("an earlier configuration stays on record as the one to start with", "error", err)
	}
	return files, nil
}

// recallPinned reads the generation that a pin names; nil: there is none to run.
func (e *engine) recallPinned(ctx context.Context, raw []byte, files *config.Reading) *config.Reading {
	var p pin
	if json.Unmarshal(raw, &p) != nil || p.Files != digest(files.Masked()) {
		return nil
	}
	r, err := e.recall(ctx, p.Generation)
	if err == nil && r.Config == nil {
		err = errors.New(headline(r.Diagnostics))
	}
	if err != nil {
		e.log.Error("the generation that was brought back cannot be read: the files are used", "generation", p.Generation, "error", err)
		return nil
	}
	e.held = &hold{p.Generation, files}
	e.stale.Store(e.held.stale())
	e.log.Warn("an earlier configuration runs, as before the restart; change the files, or syncd reload, to leave it", "generation", p.Generation)
	return r
}
