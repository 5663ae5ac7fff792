package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/spelling"
)

// unknownTopic answers a topic that has no page of its own: it is part of others, or
// misspelt.
func unknownTopic(lang *config.Language, args []string) error {
	name := strings.Join(args, " ")
	if owners := ownersOf(lang, args[0]); len(args) == 1 && len(owners) > 0 {
		return fmt.Errorf("%s stands in %s: %s", name, someOf(owners), commandFor(owners[0]))
	}
	topics := []string{"function"}
	for _, s := range lang.All() {
		topics = append(topics, s.Type, strings.TrimSpace(s.Type+" "+s.Kind), s.Kind)
	}
	if best := spelling.Nearest(name, topics); best != "" {
		return fmt.Errorf("nothing is called %q here. Did you mean 'syncd explain %s'?", name, best)
	}
	if slices.ContainsFunc(lang.All(), func(s config.Schema) bool { return s.Type == args[0] }) {
		return fmt.Errorf("there is no %s %q: 'syncd explain %s' tells all that there is of it", args[0], args[1], args[0])
	}
	return fmt.Errorf("nothing is called %q here; 'syncd explain' lists what there is", name)
}

// ownersOf are the blocks that have an attribute or block of that name.
func ownersOf(lang *config.Language, name string) []config.Schema {
	return slices.DeleteFunc(lang.All(), func(s config.Schema) bool { return !holds(&s, name) })
}

func holds(s *config.Schema, name string) bool {
	return slices.ContainsFunc(s.Attributes, func(a config.Attribute) bool { return a.Name == name }) ||
		slices.ContainsFunc(s.Blocks, func(b config.Schema) bool { return b.Type == name || b.Kind == name || holds(&b, name) })
}

func someOf(owners []config.Schema) string {
	const most = 3
	var names []string
	for _, s := range owners[:min(most, len(owners))] {
		names = append(names, s.Address())
	}
	say := strings.Join(names, ", ")
	if len(owners) > most {
		say += " and others"
	}
	return say
}

func commandFor(s config.Schema) string {
	return fmt.Sprintf("'syncd explain %s'", strings.TrimSpace(s.Type+" "+s.Kind))
}
