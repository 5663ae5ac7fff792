package main

import (
	"github.com/spf13/cobra"
)

func newCompletion() *cobra.Command {
	return &cobra.Command{
		Use:   "completion {bash | zsh | fish}",
		Short: "Print a script by which the shell completes commands, flags and addresses",
		Long: `Print a script by which the shell completes commands, flags, files, and, asking
the running daemon, the addresses of flows and sinks and the ids of dead letters.

bash (with Debian's package bash-completion, or another distribution's):
  for everybody       syncd completion bash | sudo tee /etc/bash_completion.d/syncd >/dev/null
  for you             syncd completion bash > ~/.local/share/bash-completion/completions/syncd
  for this shell      source <(syncd completion bash)

zsh (with 'autoload -U compinit && compinit' in ~/.zshrc):
  for you             syncd completion zsh > "${fpath[1]}/_syncd"
  for this shell      source <(syncd completion zsh)

fish:
  for you             syncd completion fish > ~/.config/fish/completions/syncd.fish
  for this shell      syncd completion fish | source

A new shell knows it from then on.`,
		Example:   `  source <(syncd completion bash)`,
		ValidArgs: []cobra.Completion{"bash", "zsh", "fish"},
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		RunE: func(cmd *cobra.Command, args []string) error {
			root, out := cmd.Root(), cmd.OutOrStdout()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(out, true)
			case "zsh":
				return root.GenZshCompletion(out)
			}
			return root.GenFishCompletion(out, true)
		},
	}
}
