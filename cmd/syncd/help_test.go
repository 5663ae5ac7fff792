package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// Every command says what it does and shows how, and what it shows can be pasted.
func TestHelp(t *testing.T) {
	n := 0
	root, _ := newRoot()
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		n++
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: short %q", cmd.CommandPath(), cmd.Short)
		}
		if len(commandLine.FindAllString(cmd.Example, -1)) == 0 {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		for line := range strings.Lines(cmd.Long + "\n" + cmd.Example) {
			if len(strings.TrimRight(line, "\n")) > 95 {
				t.Errorf("%s: too wide: %s", cmd.CommandPath(), line)
			}
		}
		checkLines(t, cmd.CommandPath(), cmd.Example)
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(root)
	if n < 15 {
		t.Errorf("only %d commands were looked at", n)
	}
}

// What the documentation tells to type can be typed.
func TestDocumentedCommands(t *testing.T) {
	paths, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, path := range append(paths, "../../README.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, prompt := range regexp.MustCompile(`(?m)^\$ .*`).FindAllString(string(text), -1) {
			n++
			checkLines(t, path, prompt)
		}
	}
	if n < 10 {
		t.Errorf("only %d lines were found", n)
	}
}

// commandLine is syncd with what it is given, up to what belongs to the shell.
var commandLine = regexp.MustCompile(`(^|[\s(])syncd [^|&<>#)\n]+`)

// checkLines holds each command line in text to the commands that there are.
func checkLines(t *testing.T, where, text string) {
	t.Helper()
	for _, line := range commandLine.FindAllString(text, -1) {
		if err := parse(strings.Fields(line)[1:]); err != nil {
			t.Errorf("%s: %q: %v", where, line, err)
		}
	}
}

// parse reads a command line as far as cobra does before it runs it.
func parse(args []string) error {
	root, _ := newRoot()
	cmd, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if !cmd.Runnable() {
		return fmt.Errorf("%s does nothing by itself", cmd.CommandPath())
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

func TestHelpGroups(t *testing.T) {
	_, out, _ := syncd("--help")
	at := 0
	for _, want := range []string{"Examples:", "Write a configuration:", "  init ", "Run it:", "  run ", "Look and repair:", "  status ", "Additional Commands:", "  completion "} {
		i := strings.Index(out[at:], want)
		if i < 0 {
			t.Fatalf("no %q behind that in:\n%s", want, out)
		}
		at += i
	}
}
