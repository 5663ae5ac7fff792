package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine/config"
)

// configFlags say which configuration to read, and with which variables.
type configFlags struct {
	path string
	vars []string
}

func (f *configFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.path, "config", "c", "/etc/syncd", "the configuration: a file, or a directory with *.hcl files")
	cmd.Flags().StringArrayVar(&f.vars, "var", nil, "set a variable, `NAME=VALUE`; goes before SYNCD_VAR_NAME")
}

// options are what load functions may see of this process.
func (f *configFlags) options() (config.Options, error) {
	vars := make(map[string]string, len(f.vars))
	for _, v := range f.vars {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return config.Options{}, fmt.Errorf("--var %q: write it as NAME=VALUE", v)
		}
		vars[name] = value
	}
	return config.Options{
		Variables: vars, LookupEnv: os.LookupEnv, CredentialsDir: os.Getenv("CREDENTIALS_DIRECTORY"),
	}, nil
}
