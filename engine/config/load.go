package config

import (
	"github.com/syncd/syncd/engine/component"
)

// Options are what a configuration may refer to beside its files, and how
// strictly it is read.
type Options struct {
	// Variables are set by --var NAME=VALUE. They go before SYNCD_VAR_NAME.
	Variables map[string]string
	// LookupEnv reads the environment, as os.LookupEnv does; nil is an empty one.
	LookupEnv func(name string) (string, bool)
	// CredentialsDir holds the files that credential() reads; "" is none.
	CredentialsDir string
	// Placeholders turns an unset env, variable or a missing credential into a
	// warning, for reading a configuration elsewhere than where it runs.
	Placeholders bool
	// Strict takes Placeholders back.
	Strict bool
}

// Load reads the file or directory at path, whose blocks are of the given kinds.
// It reports everything that is wrong, not only the first mistake; the Config is
// nil when any of it is an error.
func Load(path string, kinds []component.Kind, opts Options) (*Config, Diagnostics) {
	l := newLoader(kinds, opts)
	l.read(path)
	return l.finish()
}

// finish makes a configuration of the files that were read.
func (l *loader) finish() (*Config, Diagnostics) {
	l.declare()
	l.evaluate()
	l.decode()
	l.check()
	diags := l.diags.sorted()
	if diags.HasErrors() {
		return nil, diags
	}
	return &l.config, diags
}
