package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine"
	"github.com/syncd/syncd/engine/config"
)

func newRun() *cobra.Command {
	var from configFlags
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the daemon",
		Long: `Run the daemon until SIGTERM or SIGINT: it then takes nothing more in, finishes
what has begun within shutdown_grace, and ends. A second signal ends it at once.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd, from, time.Now()) },
	}
	from.add(cmd)
	return cmd
}

func run(cmd *cobra.Command, from configFlags, started time.Time) error {
	cfg, diags := config.Load(from.path, kinds(), from.options())
	writeDiagnostics(cmd.ErrOrStderr(), diags)
	if diags.HasErrors() {
		return errShown
	}
	log, err := newLogger(cmd.ErrOrStderr(), cfg.Daemon.Log)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal(cmd.Context(), log)
	defer stop()
	return engine.Run(ctx, cfg, engine.Options{
		Log:     log,
		Version: versionName(),
		Config:  from.path,
		Ready: func(r engine.Ready) {
			writeBanner(cmd.OutOrStdout(), from.path, cfg, r, time.Since(started))
		},
	})
}

// newLogger logs as the configuration's log block says.
func newLogger(w io.Writer, l config.Log) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.Level)); err != nil {
		return nil, fmt.Errorf("read log level: %w", err)
	}
	opts := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts)), nil
	}
	return slog.New(slog.NewTextHandler(w, opts)), nil
}

// untilSignal gives a context that ends with the first SIGTERM or SIGINT. The
// second one then has its usual effect: the process ends at once, which the
// journal is made for.
func untilSignal(parent context.Context, log *slog.Logger) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
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
				log.Warn("SIGHUP ignored: this version reads its configuration only at start; restart to apply")
			}
		}
	}()
	return ctx, func() { signal.Stop(signals); cancel(); <-done }
}
