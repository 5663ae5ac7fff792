package main

import (
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine/config"
)

// configFlags say which configuration to read, and with which variables.
type configFlags struct {
	path string
	vars variables
}

func (f *configFlags) add(cmd *cobra.Command) {
	f.vars = variables{}
	cmd.Flags().StringVarP(&f.path, "config", "c", "/etc/syncd", "the configuration: a file, or a directory with *.hcl files")
	cmd.Flags().Var(f.vars, "var", "set a variable; goes before SYNCD_VAR_NAME")
}

// options are what load functions may see of this process.
func (f *configFlags) options() config.Options {
	return config.Options{
		Variables: f.vars, LookupEnv: os.LookupEnv, CredentialsDir: os.Getenv("CREDENTIALS_DIRECTORY"),
	}
}

// variables is the flag --var NAME=VALUE, which may be given many times.
type variables map[string]string

// Set takes one NAME=VALUE.
func (v variables) Set(s string) error {
	name, value, ok := strings.Cut(s, "=")
	if !ok || name == "" {
		return errors.New("write it as NAME=VALUE")
	}
	v[name] = value
	return nil
}

// Type is how help calls the flag's argument.
func (v variables) Type() string { return "NAME=VALUE" }

// String is the default that help shows: none.
func (v variables) String() string { return "" }
