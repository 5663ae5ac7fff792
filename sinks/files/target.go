package files

import (
	"context"
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/syncd/syncd/engine/component"
)

// progress is what is kept about a path.
type progress struct {
	File    string    `json:"file,omitempty"` // base name of the file that takes records; "": none
	Size    int64     `json:"size,omitempty"` // bytes of it that count
	Rows    int64     `json:"rows,omitempty"`
	Format  string    `json:"format,omitempty"`
	Columns []string  `json:"columns,omitempty"`
	Opened  time.Time `json:"opened,omitzero"`
	Start   string    `json:"start,omitempty"` // id of the intent with which File was begun
	// Sealed are complete parts, to be published in this order.
	Sealed []part `json:"sealed,omitempty"`
}

type part struct {
	File string `json:"file"`
	Size int64  `json:"size"`
}

func (p progress) equal(q progress) bool {
	return p.File == q.File && p.Size == q.Size && p.Rows == q.Rows && p.Format == q.Format && p.Start == q.Start &&
		p.Opened.Equal(q.Opened) && slices.Equal(p.Columns, q.Columns) && slices.Equal(p.Sealed, q.Sealed)
}

func (p progress) clone() progress {
	p.Sealed = slices.Clone(p.Sealed)
	return p
}

// uses tells whether a file of this name belongs to p.
func (p progress) uses(name string) bool {
	return p.File == name || slices.ContainsFunc(p.Sealed, func(q part) bool { return q.File == name })
}

// end leaves no file open, the sealed parts aside.
func (p progress) end() progress { return progress{Sealed: p.Sealed} }

// target is a path that is being written.
type target struct {
	path, dir, name string
	kept            progress // on record
	now             progress // how it stands; ahead of kept until a settlement
	intent          string   // name of the file whose intent is to be removed once it is on record
	unsure          bool     // nobody knows how far the last attempt to publish came
}

const keyPrefix = "file:"

func (t *target) put() component.Put {
	if t.now.equal(progress{}) {
		return component.Put{Key: keyPrefix + t.path}
	}
	return component.Put{Key: keyPrefix + t.path, Value: t.now.clone()}
}

// isWaiting tells whether something of it is yet to be published.
func (t *target) isWaiting() bool {
	return len(t.now.Sealed) > 0 || isPart(t.now.File)
}

// target gives the path's progress, at first touch from the record, with what a
// crash may have left put right.
func (s *sink) target(ctx context.Context, at string) (*target, error) {
	if t := s.targets[at]; t != nil {
		return t, nil
	}
	t := &target{path: at, dir: path.Dir(at), name: path.Base(at), unsure: true}
	if _, err := s.state.Get(ctx, keyPrefix+at, &t.kept); err != nil {
		return nil, fmt.Errorf("read progress of %s: %w", at, err)
	}
	t.now = t.kept.clone()
	if err := s.undoIntent(ctx, t); err != nil {
		return nil, err
	}
	if err := s.removeStray(ctx, t); err != nil {
		return nil, err
	}
	s.adapt(t)
	if err := s.publish(ctx, t); err != nil {
		return nil, err
	}
	s.targets[at] = t
	return t, nil
}

// adapt takes a record that was made without roll to one with it, or back.
func (s *sink) adapt(t *target) {
	switch {
	case t.now.File == "" || isPart(t.now.File) == (s.cfg.Roll != nil):
	case s.cfg.Roll != nil:
		t.now = t.now.end()
	default:
		t.now.Sealed = append(t.now.Sealed, part{t.now.File, t.now.Size})
		t.now = t.now.end()
	}
}
