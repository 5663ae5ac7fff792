package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine/admin"
)

// Exit codes, which scripts rely on.
const (
	exitOK          = 0
	exitWrong       = 1 // the configuration or the request
	exitUsage       = 2
	exitUnreachable = 3 // the daemon
)

// errShown ends a command whose mistakes have been printed already.
var errShown = errors.New("already shown")

// execute runs the command line and gives the exit code.
func execute(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root, started := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteC()
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errShown):
		return exitWrong
	case errors.Is(err, errChanges):
		return exitChanges
	case !*started:
		fmt.Fprintf(stderr, "Error: %v\nSee '%s --help'.\n", err, cmd.CommandPath())
		return exitUsage
	}
	fmt.Fprintf(stderr, "Error: %s\n", clean(err.Error()))
	var u *admin.UnreachableError
	if errors.As(err, &u) {
		return exitUnreachable
	}
	return exitWrong
}

// newRoot makes the command tree. started becomes true when a command's own work
// begins: until then any error is one of usage.
func newRoot() (root *cobra.Command, started *bool) {
	started = new(bool)
	root = &cobra.Command{
		Use:   "syncd",
		Short: "Takes events in, durably, and brings them where they belong",
		Long: `syncd takes events in, keeps them on disk before it says "accepted", and brings
them through flows, which you write in HCL, to where they belong.`,
		Example: `  syncd init shop            # a first configuration, which runs as it stands
  syncd run -c shop
  syncd status               # in another terminal`,
		SilenceErrors:    true,
		SilenceUsage:     true,
		PersistentPreRun: func(*cobra.Command, []string) { *started = true },
	}
	addGroup(root, "Write a configuration:", newInit(), newValidate(), newPoll(), newExplain(), newFmt(), newGraph(), newLSP())
	addGroup(root, "Run it:", newRun(), newReload(), newPlan(), newConfig())
	addGroup(root, "Look and repair:", newStatus(), newDead(), newLane(), newTrigger(), newCheckpoint(), newDoctor())
	root.AddCommand(newCompletion(), newVersion())
	offerNoFiles(root)
	return root, started
}

// addGroup adds commands that help shows together, under a title.
func addGroup(root *cobra.Command, title string, cmds ...*cobra.Command) {
	root.AddGroup(&cobra.Group{ID: title, Title: title})
	for _, cmd := range cmds {
		cmd.GroupID = title
	}
	root.AddCommand(cmds...)
}

// group makes a command that only holds others.
func group(use, short, example string, sub ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:     use,
		Short:   short,
		Example: example,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(sub...)
	return cmd
}
