package transforms

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/syncd/syncd/engine/component"
)

// Remove takes fields out of the body.
var Remove = component.StepKind("remove", "Removes fields of the body.",
	func() *RemoveConfig { return &RemoveConfig{} },
	func(_ component.Env, c *RemoveConfig) (component.Step, error) { return newRemove(c), nil })

// RemoveConfig is a remove's block.
type RemoveConfig struct {
	Fields []string `hcl:"fields,required" doc:"Paths of fields, names joined by dots; a list on the way stands for each of its elements." example:"[\"customer.ssn\"]"`
}

// Validate refuses paths that can name no field.
func (c *RemoveConfig) Validate(p *component.Problems) {
	if len(c.Fields) == 0 {
		p.Error("fields", "no field to remove", "Name at least one: fields = [\"customer.ssn\"].")
	}
	seen := map[string]bool{}
	for i, f := range c.Fields {
		attr := fmt.Sprintf("fields[%d]", i)
		parts := strings.Split(f, ".")
		switch {
		case slices.Contains(parts, ""):
			p.Error(attr, fmt.Sprintf("%q is no path of a field", f), "Write names joined by single dots: \"customer.ssn\".")
		case strings.ContainsAny(f, "[]*"):
			p.Error(attr, fmt.Sprintf("%q holds an index", f), "Leave it out: a list on the way stands for each of its elements.")
		case parts[0] == "body" && len(parts) > 1:
			p.Warn(attr, fmt.Sprintf("%q starts at the body", f), fmt.Sprintf("Paths start inside the body: this removes the field body.%s. Did you mean %q?", f, strings.TrimPrefix(f, "body.")))
		case seen[f]:
			p.Error(attr, fmt.Sprintf("%q is named twice", f), "Keep one of the two.")
		}
		seen[f] = true
	}
}

type remove struct{ paths [][]string }

func newRemove(c *RemoveConfig) *remove {
	s := &remove{}
	for _, f := range c.Fields {
		s.paths = append(s.paths, strings.Split(f, "."))
	}
	return s
}

// Apply gives the event without the fields; what is not there is not missed.
func (s *remove) Apply(_ context.Context, e *component.Event) ([]*component.Event, error) {
	body := e.Body
	changed := false
	for _, path := range s.paths {
		if without, did := cut(body, path); did {
			body, changed = without, true
		}
	}
	if !changed {
		return one(e), nil
	}
	return one(e.With(body)), nil
}

// cut gives v without the field at path. Only what lies on the path is copied.
func cut(v any, path []string) (without any, changed bool) {
	switch v := v.(type) {
	case map[string]any:
		return cutObject(v, path)
	case []any:
		return cutList(v, path)
	}
	return v, false
}

func cutObject(o map[string]any, path []string) (any, bool) {
	inner, ok := o[path[0]]
	if !ok {
		return o, false
	}
	if len(path) == 1 {
		out := maps.Clone(o)
		delete(out, path[0])
		return out, true
	}
	without, changed := cut(inner, path[1:])
	if !changed {
		return o, false
	}
	out := maps.Clone(o)
	out[path[0]] = without
	return out, true
}

func cutList(list []any, path []string) (any, bool) {
	var out []any
	for i, v := range list {
		without, changed := cut(v, path)
		if !changed {
			continue
		}
		if out == nil {
			out = slices.Clone(list)
		}
		out[i] = without
	}
	if out == nil {
		return list, false
	}
	return out, true
}
