package main

import (
	"context"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine/admin"
)

// daemonFlags say where the running daemon is.
type daemonFlags struct{ socket, stateDir string }

func (d *daemonFlags) add(cmd *cobra.Command) {
	cmd.PersistentFlags().StringVar(&d.socket, "socket", "", "the daemon's socket")
	cmd.PersistentFlags().StringVar(&d.stateDir, "state-dir", "", "the daemon's state directory, which holds its socket")
}

// call finds the daemon and lets f talk to it.
func (d *daemonFlags) call(cmd *cobra.Command, f func(context.Context, *admin.Client) error) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	c, err := admin.Dial(ctx, admin.Places(d.socket, d.stateDir))
	if err != nil {
		return err
	}
	defer c.Close()
	return f(ctx, c)
}

// address completes what people type: "orders" and "flow.orders" are the same flow.
func address(class, name string) string {
	if name == "" || strings.HasPrefix(name, class+".") {
		return name
	}
	return class + "." + name
}
