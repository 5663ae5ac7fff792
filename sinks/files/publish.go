package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/files"
	"github.com/syncd/syncd/engine/expr"
)

// publish renames the sealed parts that are on record. One that is gone has been
// published already: the rename came before a crash, its record did not.
func (s *sink) publish(ctx context.Context, t *target) error {
	for len(t.now.Sealed) > 0 {
		if err := s.publishPart(ctx, t, t.now.Sealed[0]); err != nil {
			return err
		}
		t.now.Sealed = slices.Clone(t.now.Sealed[1:])
		s.parts.note(t)
	}
	return nil
}

func (s *sink) publishPart(ctx context.Context, t *target, p part) error {
	from := path.Join(t.dir, p.File)
	err := s.checkPart(ctx, from, p.Size)
	if err == nil {
		err = s.move(ctx, t, p, from)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if t.unsure = err != nil; err != nil {
		return err
	}
	return s.markDone(ctx, t, p)
}

// checkPart sees to it that a part is as long as its record says.
func (s *sink) checkPart(ctx context.Context, path string, want int64) error {
	info, err := s.fs.Stat(ctx, path)
	switch {
	case err != nil:
		return err
	case info.Size < want:
		return component.Unwell(fmt.Errorf("%s is shorter than what was written to it: %d bytes on record, %d found", path, want, info.Size))
	case info.Size > want:
		return s.cut(ctx, path, want)
	}
	return nil
}

// move gives a part the first name that is free.
func (s *sink) move(ctx context.Context, t *target, p part, from string) error {
	var taken map[string]bool
	for n := 1; ; n++ {
		name := numbered(t.name, n)
		if taken[name] {
			continue
		}
		if err := s.leaveName(ctx, t, p, name); err != nil {
			return err
		}
		err := s.fs.Rename(ctx, from, path.Join(t.dir, name))
		if err == nil {
			s.log.Debug("published", "file", path.Join(t.dir, name), "bytes", p.Size)
		}
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		if taken == nil { // there may be thousands
			if taken, err = s.taken(ctx, t, p); err != nil {
				return err
			}
		}
	}
}

// taken are the names that something else has. An attempt that was cut may have given
// the part one of them already: what looks like it is tried.
func (s *sink) taken(ctx context.Context, t *target, p part) (map[string]bool, error) {
	infos, err := s.fs.ReadDir(ctx, t.dir)
	var own files.Info
	if n := slices.IndexFunc(infos, func(i files.Info) bool { return i.Name == p.File }); n >= 0 {
		own = infos[n]
	}
	names := make(map[string]bool, len(infos))
	for _, i := range infos {
		names[i.Name] = !t.unsure || i.Size != own.Size || !i.ModTime.Equal(own.ModTime)
	}
	return names, err
}

// leaveName notes beside a part under which name it is about to be published: after a
// crash the marker is still to be made, and a name with a number would not be known.
func (s *sink) leaveName(ctx context.Context, t *target, p part, name string) error {
	if !s.cfg.DoneMarker.IsSet() {
		return nil
	}
	return s.leave(ctx, path.Join(t.dir, p.File+".name"), name)
}

// markDone makes the marker of a part that has been published, if there is to be one
// and that has not been done before.
func (s *sink) markDone(ctx context.Context, t *target, p part) error {
	if !s.cfg.DoneMarker.IsSet() {
		return nil
	}
	note := path.Join(t.dir, p.File+".name")
	var name string
	ok, err := s.read(ctx, note, &name)
	if err != nil || !ok {
		return err
	}
	marker, err := s.cfg.marker(name)
	if err != nil {
		return fmt.Errorf("fill done_marker: %w", err)
	}
	if !path.IsAbs(marker) {
		marker = path.Join(t.dir, marker)
	}
	if err := s.fs.MakeDir(ctx, path.Dir(marker)); err != nil {
		return err
	}
	f, err := s.fs.Create(ctx, marker)
	if err == nil {
		err = errors.Join(f.Sync(), f.Close())
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return s.fs.Remove(ctx, note)
}

// marker is the path of the marker of a file of this name.
func (c *Config) marker(name string) (string, error) {
	return c.DoneMarker.Eval(&expr.Input{Meta: map[string]any{"file": map[string]any{"name": name}}})
}
