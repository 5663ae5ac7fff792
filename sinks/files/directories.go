package files

import (
	"path/filepath"

	"github.com/syncd/syncd/engine/component"
)

var _ component.Writer = (*Config)(nil)

// Directories is the one below which all files are: that of the path, as far as it
// has no holes. At a connection none is this machine's.
func (c *Config) Directories() []string {
	if c.Connection.IsSet() {
		return nil
	}
	return []string{filepath.Dir(c.Path.Prefix() + "x")}
}
