package listen

import (
	"fmt"
	"log/slog"

	"github.com/syncd/syncd/engine/component"
)

// Change is one that has been prepared. Until Apply nothing has happened; one that
// is not wanted any more is forgotten.
type Change struct {
	listener *Listener
	settings *settings // nil: as they are
	table    *table    // nil: as it is
}

// Keeps tells whether the listener can become what c says with its port: Prepare
// does that then. Otherwise c is another listener, to be opened. What a listener
// is called does not matter.
func (l *Listener) Keeps(c Config) bool {
	if wanted := c.Sockets.find(c); len(wanted) > 0 {
		return leased(wanted, l.sockets)
	}
	return len(leases(l.sockets)) == 0 && sameAddress(l.address, c.Address)
}

// Prepare makes ready what the listener needs to become what c says: certificates
// are read and checked. It must be one that the listener Keeps.
func (l *Listener) Prepare(c Config, log *slog.Logger) (*Change, error) {
	s, err := newSettings(c, log)
	if err != nil {
		return nil, fmt.Errorf("change %s: %w", c.Name, err)
	}
	c.Sockets.compare(c, log)
	return &Change{listener: l, settings: s}, nil
}

// PrepareRoutes makes routes ready. An error tells of a faulty pattern, or of two
// that match the same requests.
func (l *Listener) PrepareRoutes(routes []component.Route) (*Change, error) {
	t, err := newTable(routes)
	if err != nil {
		return nil, fmt.Errorf("set routes of %s: %w", l.settings.Load().name, err)
	}
	return &Change{listener: l, table: t}, nil
}

// Apply makes the change, all at once. Requests that have begun finish where they
// began. If what is asked of clients has changed (with or without TLS, which
// certificates), connections from before are closed: idle ones now, busy ones when
// they have answered.
func (c *Change) Apply() {
	if c.table != nil {
		c.listener.table.Store(c.table)
	}
	if c.settings != nil {
		c.listener.settings.Store(c.settings)
		c.listener.renew()
	}
}

// Swap makes routes the ones that answer, all at once. An error leaves the old
// routes in place.
func (l *Listener) Swap(routes []component.Route) error {
	change, err := l.PrepareRoutes(routes)
	if err != nil {
		return err
	}
	change.Apply()
	return nil
}
