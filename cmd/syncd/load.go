package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine/config"
)

// defaultConfig is what is read where nothing else is said.
const defaultConfig = "/etc/syncd"

// configFlags say which configuration to read, and with which variables.
type configFlags struct {
	path string
	vars variables
}

func (f *configFlags) add(cmd *cobra.Command) {
	f.vars = variables{}
	cmd.Flags().StringVarP(&f.path, "config", "c", defaultConfig, "`PATH` of the configuration: a file, or a directory with *.hcl files")
	cmd.Flags().Var(f.vars, "var", "set a variable; goes before SYNCD_VAR_NAME")
	completeFlag(cmd, "config", cobra.FixedCompletions([]cobra.Completion{"hcl"}, cobra.ShellCompDirectiveFilterFileExt))
	completeFlag(cmd, "var", f.variableNames)
}

// configByFlag refuses arguments: mostly they are the path of a configuration.
func configByFlag(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s takes no argument; the configuration is named by -c: %s -c %s", cmd.CommandPath(), cmd.CommandPath(), args[0])
	}
	return nil
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
