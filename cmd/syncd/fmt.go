package main

import (
	"github.com/spf13/cobra"
)

func newFmt() *cobra.Command {
	var f formatter
	cmd := &cobra.Command{
		Use:   "fmt [PATH…]",
		Short: "Lay configurations out in the canonical way",
		Long: `Lay configurations out in the canonical way: two spaces for each level, aligned
columns, no more than one blank line, one around blocks of several lines.

What a configuration means never changes: strings and heredocs, and with them all
expressions, stay as they are to the byte. A PATH is a file, or a directory whose
*.hcl files are taken, also those below it and tests, but no hidden ones.

Without a flag, nothing is written: of a single file the result is printed, of
several the names of those that differ. - is standard input. Without a PATH it is the
working directory, or standard input if something is piped in and neither -w nor
--check is given. A file with mistakes in its syntax is left alone: they are shown,
the others are laid out, and the exit code is 1.`,
		Example: `  syncd fmt -w /etc/syncd
  syncd fmt --check --diff .
  syncd fmt orders.hcl
  syncd fmt - < orders.hcl`,
		ValidArgsFunction: cobra.FixedCompletions([]cobra.Completion{"hcl"}, cobra.ShellCompDirectiveFilterFileExt),
		Args:              func(_ *cobra.Command, args []string) error { return f.usage(args) },
		RunE: func(cmd *cobra.Command, args []string) error {
			f.stdout, f.stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return f.run(cmd.InOrStdin(), args)
		},
	}
	cmd.Flags().BoolVarP(&f.write, "write", "w", false, "write the result into the files, and print the names of those that changed")
	cmd.Flags().BoolVar(&f.check, "check", false, "write nothing, print the names of the files that differ; exit code 1 if there are any")
	cmd.Flags().BoolVar(&f.diff, "diff", false, "print what differs, as a unified diff")
	return cmd
}
