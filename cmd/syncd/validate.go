package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine/config"
)

func newValidate() *cobra.Command {
	var from configFlags
	asJSON, strict := false, false
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Check a configuration without running it",
		Long: `Check everything in a configuration that can be checked without connecting to
anything. Exit code 0: it can run; 1: it cannot. Unset environment variables and
missing credentials are warnings here, since they may be there where it runs.`,
		Example: `  syncd validate -c shop
  syncd validate --strict && sudo systemctl restart syncd
  syncd validate -c shop --json | jq '.diagnostics[].summary'`,
		Args: configByFlag,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts := from.options()
			opts.Placeholders, opts.Strict = true, strict
			cfg, diags := config.Load(from.path, kinds(), opts)
			if asJSON {
				fmt.Fprintf(cmd.OutOrStdout(), "%s", diags.JSON())
			} else {
				report(cmd, cfg, diags)
			}
			if diags.HasErrors() {
				return errShown
			}
			return nil
		},
	}
	from.add(cmd)
	addJSON(cmd, &asJSON)
	cmd.Flags().BoolVar(&strict, "strict", false, "unset environment variables and missing credentials are errors")
	return cmd
}

func report(cmd *cobra.Command, cfg *config.Config, diags config.Diagnostics) {
	writeDiagnostics(cmd.ErrOrStderr(), diags)
	if cfg != nil {
		fmt.Fprintf(cmd.OutOrStdout(), "The configuration is valid: %s.\n", contents(cfg))
	}
}

// writeDiagnostics prints what was found and, where there is more than one, how many.
func writeDiagnostics(w io.Writer, diags config.Diagnostics) {
	if len(diags) == 0 {
		return
	}
	_ = diags.Write(w) // whoever does not read them still gets the exit code
	errs, warnings := diags.Count()
	if len(diags) > 1 {
		fmt.Fprintf(w, "\n%s, %s\n", count(errs, "error"), count(warnings, "warning"))
	}
}

// contents is what a configuration holds, in one line.
func contents(cfg *config.Config) string {
	return fmt.Sprintf("%s, %s, %s", count(len(cfg.Sources), "source"), count(len(cfg.Flows), "flow"), count(len(cfg.Sinks), "sink"))
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
