// Package reference tells people what can stand in a configuration: in the
// terminal, and as pages of Markdown. All of it comes from the declarations of the
// kinds, by way of config.Describe.
package reference

import (
	"fmt"
	"strings"

	"github.com/syncd/syncd/engine/config"
)

// heading is how the block begins: source "webhook" "NAME".
func heading(s *config.Schema) string {
	h := s.Address()
	if s.Named {
		h += ` "NAME"`
	}
	return h
}

// form says in a few words what is written for the attribute.
func form(a config.Attribute) string {
	switch {
	case a.Evaluated == "reference":
		return "reference to " + either(targets(a))
	case a.Evaluated == "expr" && a.Yields != "":
		return "expression that yields " + map[string]string{"bool": "true or false", "list": "a list", "text": "text"}[a.Yields]
	case a.Evaluated == "template" && a.Type == "text":
		return "template"
	case a.Evaluated == "template":
		return strings.Replace(a.Type, "text", "templates", 1)
	}
	return a.Type
}

// targets are the addresses that a reference may name: connection.http.NAME.
func targets(a config.Attribute) []string {
	var all []string
	for _, r := range a.References {
		if !strings.Contains(r, ".") && r != "flow" && r != "transform" {
			r += ".KIND"
		}
		all = append(all, r+".NAME")
	}
	return all
}

// notes are what there is to say of the attribute beside its form: whether it is
// required, its default, its bounds.
func notes(a config.Attribute) []string {
	var all []string
	add := func(yes bool, format string, args ...any) {
		if yes {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	add(a.Required, "required")
	add(a.Default != "", "default %s", a.Default)
	add(a.Min != "" && a.Max != "", "from %s to %s", a.Min, a.Max)
	add(a.Min != "" && a.Max == "", "at least %s", a.Min)
	add(a.Min == "" && a.Max != "", "at most %s", a.Max)
	add(a.Secret, "may be sensitive")
	add(a.Identity, "a change starts its checkpoint over")
	return all
}

// choices are the values that there are, as HCL.
func choices(a config.Attribute) []string {
	all := make([]string, len(a.Enum))
	for i, v := range a.Enum {
		all[i] = fmt.Sprintf("%q", v)
	}
	return all
}

// presence says of a nested block how often it may stand there.
func presence(s *config.Schema) string {
	switch {
	case s.Required && s.Repeated:
		return "at least one"
	case s.Required:
		return "required"
	case s.Repeated:
		return "any number"
	}
	return "optional"
}

func either(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}
