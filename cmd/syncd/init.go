package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/examples/starter"
)

func newInit() *cobra.Command {
	return &cobra.Command{
		Use:   "init [DIR]",
		Short: "Write a first configuration, which runs as it stands",
		Long: `Write a first configuration, with comments, into DIR/syncd.hcl (default: the
working directory), and say how to try it. DIR is made if it is not there. Where
any *.hcl file is already, in DIR or below it, nothing is written.`,
		Example: `  syncd init shop
  syncd run -c shop`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = filepath.Clean(args[0])
			}
			file, err := writeStarter(dir)
			if err != nil {
				return err
			}
			return writeNext(cmd.OutOrStdout(), dir, file)
		},
	}
}

// writeStarter writes the first configuration into a directory that has none.
func writeStarter(dir string) (path string, err error) {
	found, err := config.FindFiles(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = os.MkdirAll(dir, 0o755)
	case err == nil && len(found) > 0:
		err = fmt.Errorf("%s is there already, and nothing was written: name another directory", found[0])
	}
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, "syncd.hcl")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return "", err
	}
	_, err = f.Write(starter.Config)
	return path, errors.Join(err, f.Close())
}

// writeNext tells what to do with the first configuration.
func writeNext(w io.Writer, dir, file string) error {
	var order bytes.Buffer
	if err := json.Compact(&order, starter.Order); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, `Wrote %s. Run it:

  syncd run -c %s

Then, in a second terminal, send it an order and look what became of it:

  curl -H 'Content-Type: application/json' -d %s http://127.0.0.1:8080/orders
  cat %s
  syncd status

What else it can do stands in the file.
`, file, quote(dir), quote(order.String()), quote(filepath.Join(dir, "out", "orders.ndjson")))
	return err
}
