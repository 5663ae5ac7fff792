package doctor

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/config"
)

// peerTimeout is for reaching one peer; all are tried at the same time.
const peerTimeout = 5 * time.Second

// checkPeers reaches out to what connections lead to.
func (e *exam) checkPeers(ctx context.Context) {
	if e.cfg == nil || e.Offline {
		return
	}
	found := make([]Finding, len(e.cfg.Connections))
	var group sync.WaitGroup
	for i, c := range e.cfg.Connections {
		group.Go(func() { found[i] = e.reach(ctx, c) })
	}
	group.Wait()
	for _, f := range found {
		if f.Level != "" {
			e.add(f)
		}
	}
}

// reach opens a connection as the daemon does and asks it; nothing, if it cannot tell.
func (e *exam) reach(ctx context.Context, c *config.Component) Finding {
	const check = "peer"
	opened, err := c.Kind.Open(component.Env{Address: c.Address, Log: slog.New(slog.DiscardHandler), Now: time.Now}, c.Config)
	if err != nil {
		return Finding{Error, check, err.Error(), "The daemon cannot open it either."}
	}
	if closer, ok := opened.(component.Closer); ok {
		defer closer.Close()
	}
	checker, ok := opened.(component.Checker)
	if !ok {
		return Finding{}
	}
	ctx, cancel := context.WithTimeout(ctx, peerTimeout)
	defer cancel()
	began := time.Now()
	if err := checker.Check(ctx); err != nil {
		return Finding{Error, check, fmt.Sprintf("%s cannot be reached: %v", c.Address, err), "Its events wait in the journal meanwhile. Look at the name, the firewall, the proxy and the certificates."}
	}
	return Finding{OK, check, fmt.Sprintf("%s answers within %s", c.Address, time.Since(began).Round(time.Millisecond)), ""}
}
