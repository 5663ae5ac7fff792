package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/config"
)

// Rollback makes an earlier generation run again; the files stay as they are.
func (e *engine) Rollback(ctx context.Context, number int64) (admin.Reload, error) {
	if err := e.takeTurn(ctx); err != nil {
		return admin.Reload{}, err
	}
	defer e.endTurn()
	number, err := e.numbered(number, -1)
	if err != nil {
		return admin.Reload{}, err
	}
	out, err := e.rollback(ctx, number, fmt.Sprintf("rollback to %d", number))
	if err == nil && out.OK {
		e.settleKeep()
	}
	return out, err
}

// rollback takes generation number over again and keeps to it, also over a
// restart, until the files say something else than they do now.
func (e *engine) rollback(ctx context.Context, number int64, origin string) (admin.Reload, error) {
	r, err := e.recall(ctx, number)
	if err != nil {
		return admin.Reload{}, err
	}
	defer e.telling()()
	files := e.o.Read(e.o.Config)
	out := e.takeOver(r, origin, true, nil)
	switch {
	case !out.OK:
		e.log.Error("an earlier configuration is not taken over; what runs goes on", "text_of", number, "generation", out.Generation, "error", out.Error)
	case e.same(files):
		e.stale.Store(nil)
		e.pin(nil)
	default:
		e.pin(&hold{out.Generation, files})
		e.stale.Store(e.held.stale())
	}
	return out, nil
}

// recall reads an earlier generation.
func (e *engine) recall(ctx context.Context, number int64) (*config.Reading, error) {
	texts := e.originals[number]
	if texts == nil {
		g, err := e.generation(ctx, number)
		if err != nil {
			return nil, err
		}
		texts = e.texts(g)
		if places := config.MaskedAt(texts); len(places) > 0 {
			return nil, fmt.Errorf("%w: generation %d had some written at %s. Take its text from syncd config show %d, fill them in, and reload; credential() keeps a secret out of the files",
				admin.ErrLacksSecrets, number, strings.Join(places, ", "), number)
		}
	}
	return e.o.ReadTexts(texts), nil
}

// root is the directory that names of files start at.
func (e *engine) root() string {
	path, err := filepath.Abs(e.o.Config)
	if err != nil {
		path = e.o.Config
	}
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return filepath.Dir(path)
	}
	return path
}
