package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/doctor"
	"github.com/syncd/syncd/engine/unit"
)

func newDoctor() *cobra.Command {
	var from configFlags
	var at daemonFlags
	name, offline, asJSON := "", false, false
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check what commonly goes wrong, and say what to do",
		Long: `Check the configuration, the state directory, the disk, what the service may write
to, certificates, ports, the peers of connections, the clock and the running daemon.
Nothing is changed, and no peer gets a request. Where a unit syncd.service runs this
configuration, its restrictions, environment and credentials count.

Exit code 1: there is an error. Run it as root to see all that the service sees.`,
		Example: "  syncd doctor\n  syncd doctor -c ./shop --offline\n  syncd doctor --unit syncd@berlin",
		Args:    configByFlag,
		RunE: func(cmd *cobra.Command, _ []string) error {
			u, err := serviceUnit(name, from.path)
			if err != nil {
				return err
			}
			found := doctor.Run(cmd.Context(), examination(from, at, u, offline))
			if asJSON {
				err = printJSON(cmd, map[string]any{"findings": found})
			} else {
				writeFindings(cmd.OutOrStdout(), found)
			}
			if err == nil && tally(found)[doctor.Error] > 0 {
				return errShown
			}
			return err
		},
	}
	from.add(cmd)
	at.add(cmd)
	cmd.Flags().StringVar(&name, "unit", "", "the unit that runs it: a name, or the path of a file; \"none\" for none (default syncd.service, if that runs this configuration)")
	cmd.Flags().BoolVar(&offline, "offline", false, "connect to no peer")
	addJSON(cmd, &asJSON)
	return cmd
}

func examination(from configFlags, at daemonFlags, u *unit.Unit, offline bool) doctor.Options {
	opts := from.options()
	return doctor.Options{
		Config: from.path, Kinds: kinds(), Variables: opts.Variables, LookupEnv: opts.LookupEnv, CredentialsDir: opts.CredentialsDir,
		Unit: u, Offline: offline, Built: built(), Now: time.Now(),
		Dial: func(ctx context.Context, stateDir string) (*admin.Client, error) {
			return admin.Dial(ctx, daemonPlaces(at, u, stateDir))
		},
	}
}

// daemonPlaces are where the daemon of a configuration may listen: where it is said
// to, else where its unit or its state directory puts the socket.
func daemonPlaces(at daemonFlags, u *unit.Unit, stateDir string) []admin.Place {
	if at.socket != "" || at.stateDir != "" {
		return admin.Places(at.socket, at.stateDir)
	}
	var places []admin.Place
	if u != nil {
		if dir, _, _ := strings.Cut(u.Environment()["RUNTIME_DIRECTORY"], ":"); dir != "" {
			places = append(places, admin.Place{Path: filepath.Join(dir, admin.SocketName), Why: u.Name})
		}
	}
	if stateDir != "" {
		places = append(places, admin.Place{Path: filepath.Join(stateDir, admin.SocketName), Why: "state_dir"})
	}
	return append(places, admin.Places("", "")...)
}

// serviceUnit is the unit that runs the configuration at path, nil if none does.
func serviceUnit(name, path string) (*unit.Unit, error) {
	switch {
	case name == "none":
		return nil, nil
	case strings.Contains(name, "/"):
		return unit.Read(name)
	case name != "":
		return unit.Find(name, unit.Directories)
	}
	u, err := unit.Find("syncd.service", unit.Directories)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !runs(u, path) {
		return nil, nil
	}
	return u, err
}

// runs tells whether the unit runs the configuration at path.
func runs(u *unit.Unit, path string) bool {
	theirs := u.Config()
	if theirs == "" {
		theirs = defaultConfig
	}
	a, err := os.Stat(theirs)
	if err != nil {
		return filepath.Clean(theirs) == filepath.Clean(path)
	}
	b, err := os.Stat(path)
	return err == nil && os.SameFile(a, b)
}

// built is when the sources of this program were committed; zero: unknown.
func built() (t time.Time) {
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return t
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.time" {
			t, _ = time.Parse(time.RFC3339, s.Value) // else it is zero
		}
	}
	return t
}

// writeFindings prints a line for each check, and below it what to do.
func writeFindings(w io.Writer, found []doctor.Finding) {
	for _, f := range found {
		fmt.Fprintf(w, "%-8s %-14s %s\n", f.Level, f.Check, line(f.Text))
		for l := range strings.Lines(clean(f.Advice)) {
			fmt.Fprintf(w, "%23s %s\n", "", strings.TrimSuffix(l, "\n"))
		}
	}
	n := tally(found)
	fmt.Fprintf(w, "\n%s: %s, %s\n", count(len(found), "check"), count(n[doctor.Error], "error"), count(n[doctor.Warning], "warning"))
}

func tally(found []doctor.Finding) map[doctor.Level]int {
	n := map[doctor.Level]int{}
	for _, f := range found {
		n[f.Level]++
	}
	return n
}
