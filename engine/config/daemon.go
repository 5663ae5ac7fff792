package config

import (
	"strings"
	"time"

	"github.com/syncd/syncd/engine/component"
)

type daemonConfig struct {
	StateDir      string         `hcl:"state_dir" doc:"Where the journal lives; relative to the working directory. Default: $STATE_DIRECTORY, else .syncd." example:"\"/var/lib/syncd\""`
	Reload        string         `hcl:"reload" enum:"auto|manual" doc:"auto: on every change of a file; manual: on demand only."`
	ShutdownGrace time.Duration  `hcl:"shutdown_grace" min:"0" doc:"How long a stop waits for deliveries that have begun." example:"\"30s\""`
	MaxInFlight   component.Size `hcl:"max_in_flight" min:"1MiB" doc:"How much of bodies may be in reception at a time, all sources together; beyond it, senders get 503, those of mails 452." example:"\"256MiB\""`
	Log           logConfig      `hcl:"log,block" doc:"How much is logged, and how."`
	Journal       journalConfig  `hcl:"journal,block" doc:"What the journal may take."`
}

type logConfig struct {
	Level  string `hcl:"level" enum:"debug|info|warn|error" doc:"The lowest level that is logged."`
	Format string `hcl:"format" enum:"text|json" doc:"As lines of text, or of JSON."`
}

type journalConfig struct {
	MaxSize   component.Size `hcl:"max_size" min:"64MiB" doc:"How large the journal may become; at this size every source answers 503 with Retry-After." example:"\"10GiB\""`
	Backlog   component.Size `hcl:"backlog" min:"1MiB" doc:"How much one flow may have waiting; beyond it, its own sources answer 503 with Retry-After." example:"\"2GiB\""`
	Retention time.Duration  `hcl:"retention" doc:"How long events stay that are settled; others always do." example:"\"72h\""`
}

func newDaemonConfig(stateDir string) daemonConfig {
	return daemonConfig{
		StateDir: stateDir, Reload: "auto", ShutdownGrace: 30 * time.Second, MaxInFlight: 256 << 20,
		Log:     logConfig{Level: "info", Format: "text"},
		Journal: journalConfig{MaxSize: 10 << 30, Backlog: 2 << 30, Retention: 72 * time.Hour},
	}
}

// defaultStateDir is the first of systemd's StateDirectory=, else one below the
// working directory.
func (l *loader) defaultStateDir() string {
	dirs, _ := l.opts.LookupEnv("STATE_DIRECTORY")
	if first, _, _ := strings.Cut(dirs, ":"); first != "" {
		return first
	}
	return ".syncd"
}

func (l *loader) decodeDaemon() {
	cfg := newDaemonConfig(l.defaultStateDir())
	for i := range l.blocks["daemon"] {
		d := &l.blocks["daemon"][i]
		l.decoding(d.file, "in daemon").block(d.block, "", &cfg)
	}
	l.config.Daemon = Daemon{
		StateDir: cfg.StateDir, Reload: cfg.Reload, ShutdownGrace: cfg.ShutdownGrace, MaxInFlight: cfg.MaxInFlight,
		Log:     Log(cfg.Log),
		Journal: Journal{MaxSize: cfg.Journal.MaxSize, Backlog: cfg.Journal.Backlog, Retention: cfg.Journal.Retention},
	}
}
