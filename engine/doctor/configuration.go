package doctor

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/syncd/syncd/engine/config"
)

// checkConfiguration reads the configuration as the service would.
func (e *exam) checkConfiguration() {
	const check = "configuration"
	dir, remove, err := e.credentials()
	if err != nil {
		e.warn(check, "credentials cannot be looked at: "+err.Error(), "Run syncd doctor as root.")
	}
	defer remove()
	cfg, diags := config.Load(e.Config, e.Kinds, config.Options{
		Variables: e.Variables, LookupEnv: e.environment(), CredentialsDir: dir, Placeholders: true,
	})
	e.cfg = cfg
	errs, warnings := diags.Count()
	again := "syncd validate -c " + e.Config + " shows each at its place."
	switch {
	case errs > 0:
		e.fail(check, fmt.Sprintf("%s cannot run: %s", e.Config, first(diags, config.Error, errs)), again)
	case warnings > 0:
		e.warn(check, fmt.Sprintf("%s can run, but: %s", e.Config, first(diags, config.Warning, warnings)), again)
	default:
		e.ok(check, e.Config+" is valid")
	}
}

// first is the first of n diagnostics of that severity, and how many more there are.
func first(diags config.Diagnostics, s config.Severity, n int) string {
	text := ""
	for _, d := range diags {
		if d.Severity == s {
			text = d.Summary + ": " + d.Detail
			if d.Range.File != "" {
				text = fmt.Sprintf("%s:%d: %s", filepath.Base(d.Range.File), d.Range.Start.Line, d.Summary)
			}
			break
		}
	}
	if n > 1 {
		text += fmt.Sprintf(" (and %d more)", n-1)
	}
	return text
}

// environment is the service's, on top of this process's.
func (e *exam) environment() func(string) (string, bool) {
	if e.Unit == nil {
		return e.LookupEnv
	}
	env := e.Unit.Environment()
	return func(name string) (string, bool) {
		if v, ok := env[name]; ok {
			return v, true
		}
		return e.LookupEnv(name)
	}
}

// credentials is a directory as systemd makes one for the service: links to what
// LoadCredential= names.
func (e *exam) credentials() (dir string, remove func(), err error) {
	remove = func() {}
	if e.Unit == nil || e.CredentialsDir != "" {
		return e.CredentialsDir, remove, nil
	}
	if _, err := os.Stat(e.Unit.CredentialsDirectory()); err == nil { // it runs: these are what it has
		return e.Unit.CredentialsDirectory(), remove, nil
	}
	if dir, err = os.MkdirTemp("", "syncd-doctor"); err != nil {
		return "", remove, err
	}
	remove = func() { os.RemoveAll(dir) }
	for _, c := range e.Unit.Credentials() {
		if err := os.Symlink(c.Path, filepath.Join(dir, filepath.Base(c.Name))); err != nil {
			return dir, remove, err
		}
	}
	return dir, remove, nil
}
