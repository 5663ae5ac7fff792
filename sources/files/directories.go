package files

import (
	"path"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

var _ component.Writer = (*Config)(nil)

// Directories are those that files are moved to, and from.
func (c *Config) Directories() []string {
	if c.Connection.IsSet() || c.After == (After{}) {
		return nil
	}
	dirs := []string{c.Path}
	for _, t := range []expr.Template{c.After.Move, c.After.Failed} {
		if t.IsSet() {
			dirs = append(dirs, path.Dir(t.Prefix()+"x"))
		}
	}
	return dirs
}
