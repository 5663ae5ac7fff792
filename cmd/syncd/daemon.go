package main

import (
	"context"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/component"
)

// daemonFlags say where the running daemon is.
type daemonFlags struct{ socket, stateDir string }

func (d *daemonFlags) add(cmd *cobra.Command) {
	cmd.PersistentFlags().StringVar(&d.socket, "socket", "", "`PATH` of the daemon's socket")
	cmd.PersistentFlags().StringVar(&d.stateDir, "state-dir", "", "`DIR` of the daemon's state, which holds its socket")
	completeFlag(cmd, "state-dir", cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs))
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

// address completes what people type: "orders" and "flow.orders" are the same flow,
// and orders[cl], which is what a shell makes of orders["cl"], means just that.
func address(class, name string) string {
	if name == "" {
		return name
	}
	if !strings.HasPrefix(name, class+".") {
		name = class + "." + name
	}
	base := component.Address(name).Base()
	key, hasKey := strings.CutPrefix(name, string(base)+"[")
	if key, closed := strings.CutSuffix(key, "]"); hasKey && closed && !strings.HasPrefix(key, `"`) {
		return string(base.Instance(key))
	}
	return name
}
