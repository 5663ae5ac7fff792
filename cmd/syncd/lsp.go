package main

import (
	"log/slog"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine/lsp"
)

func newLSP() *cobra.Command {
	from := configFlags{vars: variables{}}
	cmd := &cobra.Command{
		Use:   "lsp",
		Short: "Serve an editor: mistakes while typing, completion, hover",
		Long: `A language server on standard input and output. Editors start it themselves;
docs/editor.md says how to tell them.`,
		Example: `  syncd lsp                  # what an editor starts
  syncd lsp -c /etc/syncd    # the same, for one configuration whatever is open`,
		Args: configByFlag,
		RunE: func(cmd *cobra.Command, _ []string) error {
			debug.SetGCPercent(lsp.GCPercent)
			return lsp.Serve(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), lsp.Options{
				Kinds: kinds(), Path: from.path, Config: from.options(), Version: versionName(),
				Log: slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil)),
			})
		},
	}
	cmd.Flags().StringVarP(&from.path, "config", "c", "", "the configuration; left out, it is found from the editor's workspace or the open file")
	cmd.Flags().Var(from.vars, "var", "set a variable; goes before SYNCD_VAR_NAME")
	return cmd
}
