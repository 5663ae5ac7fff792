package engine

import (
	"fmt"
	"os"
	"path/filepath"
)

// spoolName is what a file has as its name until it has none.
const spoolName = "spool"

// spool makes a file for a component.Env. Whatever ends the daemon frees its room; all
// that a kill can leave is one empty file, which the next takes.
func (e *engine) spool() (*os.File, error) {
	e.spooling.Lock()
	defer e.spooling.Unlock()
	f, err := os.OpenFile(filepath.Join(e.dir, spoolName), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make a file for what is large: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, fmt.Errorf("make a file for what is large: %w", err)
	}
	return f, nil
}
