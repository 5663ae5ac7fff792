package main

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/config"
)

// Words that the shell completes after Tab. Whatever goes wrong here, there are none.

// askFor is how long the daemon has to answer somebody who is typing.
const askFor = time.Second

// maxOffered is how many dead letters are offered.
const maxOffered = 100

// complete offers what f learns from the running daemon.
func (d *daemonFlags) complete(f func(ctx context.Context, c *admin.Client, args []string, prefix string) ([]cobra.Completion, error)) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), askFor)
		defer cancel()
		c, err := admin.Dial(ctx, admin.Places(d.socket, d.stateDir))
		if err != nil {
			return cobra.AppendActiveHelp(nil, "no running syncd answers here; --socket or --state-dir says where it is"), cobra.ShellCompDirectiveNoFileComp
		}
		defer c.Close()
		words, err := f(ctx, c, args, prefix)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}

// addresses offers the addresses that pick finds in the daemon's status.
func (d *daemonFlags) addresses(pick func(s admin.Status, args []string) []string) cobra.CompletionFunc {
	return d.complete(func(ctx context.Context, c *admin.Client, args []string, prefix string) ([]cobra.Completion, error) {
		s, err := c.Status(ctx)
		return matching(pick(s, args), prefix), err
	})
}

// matching gives the addresses that begin with prefix, once each; without their
// class, if they were begun so.
func matching(addresses []string, prefix string) []cobra.Completion {
	var list []cobra.Completion
	for _, a := range addresses {
		_, short, _ := strings.Cut(a, ".")
		switch {
		case a == "": // the sink of a lane that is a flow's steps
		case strings.HasPrefix(a, prefix):
			list = append(list, a)
		case strings.HasPrefix(short, prefix):
			list = append(list, short)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func sourcesOf(s admin.Status, _ []string) (list []string) {
	for _, x := range s.Sources {
		list = append(list, x.Address)
	}
	return list
}

func flowsOf(s admin.Status, _ []string) (list []string) {
	for _, x := range s.Flows {
		list = append(list, x.Address)
	}
	return list
}

func sinksOf(s admin.Status, _ []string) (list []string) {
	for _, x := range s.Lanes {
		list = append(list, x.Sink)
	}
	return list
}

// orphans gives the flows of lanes that can be dropped, or, when the flow is given
// already, its sinks.
func orphans(s admin.Status, args []string) (list []string) {
	for _, x := range s.Lanes {
		switch {
		case x.State != admin.Orphaned:
		case len(args) == 0:
			list = append(list, x.Flow)
		case len(args) == 1 && x.Flow == address("flow", args[0]):
			list = append(list, x.Sink)
		}
	}
	return list
}

// deadIDs offers the ids of the first dead letters, no more of them than most.
func (d *daemonFlags) deadIDs(most int) cobra.CompletionFunc {
	return d.complete(func(ctx context.Context, c *admin.Client, args []string, prefix string) (list []cobra.Completion, err error) {
		if len(args) >= most {
			return nil, nil
		}
		for letter, err := range c.Dead(ctx, admin.Filter{}) {
			if err != nil {
				return nil, err
			}
			id := strconv.FormatInt(letter.ID, 10)
			if strings.HasPrefix(id, prefix) && !slices.Contains(args, id) {
				list = append(list, cobra.CompletionWithDesc(id, where(letter)+": "+short(letter.Error, 60)))
			}
			if len(list) == maxOffered {
				break
			}
		}
		return list, nil
	})
}

// variableNames offers the variables that the configuration declares.
func (f *configFlags) variableNames(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var list []cobra.Completion
	for _, name := range config.Variables(f.path) {
		list = append(list, name+"=")
	}
	return list, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}

// completeFlag sets what is offered behind a flag that cmd has.
func completeFlag(cmd *cobra.Command, flag string, f cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic(err) // a flag that is not there: a mistake of ours
	}
}

// offerNoFiles keeps file names from where no command takes any.
func offerNoFiles(cmd *cobra.Command) {
	if cmd.ValidArgsFunction == nil && cmd.ValidArgs == nil {
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
	for _, sub := range cmd.Commands() {
		offerNoFiles(sub)
	}
}
