package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine"
	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/listen"
	"github.com/syncd/syncd/engine/notify"
)

func newRun() *cobra.Command {
	var from configFlags
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the daemon",
		Long: `Run the daemon until SIGTERM or SIGINT: it then takes nothing more in, finishes
what has begun within shutdown_grace, and ends. A second signal ends it at once.`,
		Example: `  syncd run
  syncd run -c shop --var site=scl`,
		Args: configByFlag,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd, from, time.Now()) },
	}
	from.add(cmd)
	return cmd
}

func run(cmd *cobra.Command, from configFlags, started time.Time) error {
	kinds := kinds() // once: a kind may hold what its components share over reloads
	r := config.Open(from.path, kinds, from.options())
	writeDiagnostics(cmd.ErrOrStderr(), r.Diagnostics)
	if r.Config == nil {
		return errShown
	}
	log := newLog(cmd.ErrOrStderr(), r.Config.Daemon.Log)
	var manager engine.Manager // nil: what it would be told is not worked out
	if m := notify.FromEnvironment(log.Logger); m.Present() {
		manager = m
	}
	ctx, hangup, stop := untilSignal(cmd.Context(), log.Logger)
	defer stop()
	defer tendHeap()()
	return engine.Run(ctx, r, engine.Options{
		Log:       log.Logger,
		Version:   versionName(),
		Config:    from.path,
		Read:      func(path string) *config.Reading { return config.Open(path, kinds, from.options()) },
		ReadTexts: func(texts []config.Text) *config.Reading { return config.OpenTexts(texts, kinds, from.options()) },
		SetLog:    log.set,
		Sockets:   listen.Inherit(),
		Hangup:    hangup,
		Manager:   manager,
		Ready: func(ready engine.Ready) {
			writeBanner(cmd.OutOrStdout(), from.path, r.Config, ready, time.Since(started))
		},
	})
}

// untilSignal gives a context that ends with the first SIGTERM or SIGINT, and a
// channel that has a token for SIGHUPs. The second SIGTERM then has its usual
// effect: the process ends at once, which the journal is made for.
func untilSignal(parent context.Context, log *slog.Logger) (context.Context, <-chan struct{}, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	hangup := make(chan struct{}, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				return
			case s := <-signals:
				if s != syscall.SIGHUP {
					log.Info("stopping; a second signal stops at once", "signal", s.String())
					signal.Reset(syscall.SIGTERM, syscall.SIGINT)
					cancel()
					return
				}
				select {
				case hangup <- struct{}{}:
				default: // one that waits will do
				}
			}
		}
	}()
	return ctx, hangup, func() { signal.Stop(signals); cancel(); <-done }
}
