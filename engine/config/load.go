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
	// Overlay is the text that an editor holds for files, by absolute path. It goes
	// before what is on disk, where a file need not be yet.
	Overlay map[string][]byte
	// Earlier is what Read gave before, nil if nothing: files that have not changed
	// since are not parsed again.
	Earlier *Snapshot
}

// Load reads the file or directory at path, whose blocks are of the given kinds.
// It reports everything that is wrong, not only the first mistake; the Config is
// nil when any of it is an error.
func Load(path string, kinds []component.Kind, opts Options) (*Config, Diagnostics) {
	r := Open(path, kinds, opts)
	return r.Config, r.Diagnostics
}

// finish makes a configuration of the files that were read.
func (l *loader) finish() (*Config, Diagnostics) {
	l.declare()
	l.evaluate()
	l.expand()
	l.decode()
	l.check()
	l.merge()
	diags := l.diags.sorted()
	if diags.HasErrors() {
		return nil, diags
	}
	l.digest()
	c := l.config // a pointer into the loader would keep all of it
	return &c, diags
}
