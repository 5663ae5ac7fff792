package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// eventNames are what expressions see and HCL does not.
var eventNames = []string{"body", "meta", "event", "vars", "parent", "record", "response", "cursor"}

// value evaluates what HCL evaluates at load. False: it has mistakes, now reported.
func (l *loader) value(e hclsyntax.Expression, at spot) (cty.Value, bool) {
	return l.valueIn(at.file.eval, e, at)
}

func (l *loader) valueIn(ctx *hcl.EvalContext, e hclsyntax.Expression, at spot) (cty.Value, bool) {
	if !l.namesKnown(e, at) {
		return cty.DynamicVal, false
	}
	v, diags := e.Value(ctx)
	l.reportUnset(e, at)
	for _, d := range diags {
		l.evaluationError(d, at)
	}
	if diags.HasErrors() {
		return cty.DynamicVal, false
	}
	return v, true
}

// namesKnown checks what e refers to, each name at its own place.
func (l *loader) namesKnown(e hclsyntax.Expression, at spot) bool {
	if _, ok := e.(*hclsyntax.LiteralValueExpr); ok {
		return true
	}
	ok := true
	for _, t := range e.Variables() {
		ok = l.nameKnown(t, e, at) && ok
	}
	return ok
}

func (l *loader) nameKnown(t hcl.Traversal, e hclsyntax.Expression, at spot) bool {
	root := t.RootName()
	at.start, at.end = t.SourceRange().Start.Byte, t.SourceRange().End.Byte
	defs, isGlobal := l.globals.defs[root]
	switch {
	case isGlobal && l.globals.plain:
		l.error(at, "a default stands for itself", "The default of a variable is a plain value: it cannot refer to var, local or secret. Put what depends on others into locals.")
	case isGlobal && l.globals.find(t) != nil:
		return true
	case isGlobal && (len(t) < 2 || !isAttr(t[1])):
		l.error(at, fmt.Sprintf("%s alone is not a value", root), fmt.Sprintf("Name one of them: %s.NAME.", root))
	case isGlobal && l.incomplete:
	case isGlobal:
		l.unknownGlobal(t, defs, at)
	case isReferenceRoot(root):
		l.error(at, "a reference where a value belongs", fmt.Sprintf("%s names a component; it has no value at load.", f(at)))
	case slices.Contains(eventNames, root):
		l.error(at, fmt.Sprintf("%s is not known at load", root),
			fmt.Sprintf("What depends on an event is an expression, and expressions are quoted: %q.", at.file.source(e.Range())))
	default:
		l.error(at, fmt.Sprintf("unknown name %q", root), l.unknownRootHint(t, root))
	}
	return false
}

func (l *loader) unknownGlobal(t hcl.Traversal, defs map[string]*global, at spot) {
	root, name := t.RootName(), t[1].(hcl.TraverseAttr).Name
	how := map[string]string{
		"var":    fmt.Sprintf("variable %q { default = … }", name),
		"local":  fmt.Sprintf("locals { %s = … }", name),
		"secret": fmt.Sprintf("secret %q { value = … }", name),
	}[root]
	l.error(at, fmt.Sprintf("unknown %s.%s", root, name), fmt.Sprintf("It would be declared by %s.", how)+
		line(suggestPath(root+".", name, keys(defs))))
}

// suggestPath is suggest for the last part of a path.
func suggestPath(prefix, name string, candidates []string) string {
	if best := nearest(name, candidates); best != "" {
		return fmt.Sprintf("Did you mean %s%s?", prefix, best)
	}
	return ""
}

func (l *loader) unknownRootHint(t hcl.Traversal, root string) string {
	if best := nearest(root, append(slices.Clone(globalRoots), "true", "false", "null")); best != "" {
		return fmt.Sprintf("Did you mean %s?", best)
	}
	if len(t) == 1 {
		return fmt.Sprintf("A value at load is made of var, local and secret, literals and functions. Text is quoted: %q.", root)
	}
	return "A value at load is made of var, local and secret, literals and functions."
}

func isAttr(t hcl.Traverser) bool {
	_, ok := t.(hcl.TraverseAttr)
	return ok
}

// isReferenceRoot tells whether a traversal that begins so names a component.
func isReferenceRoot(root string) bool {
	switch root {
	case "source", "sink", "flow", "connection", "listener", "transform":
		return true
	}
	return false
}

// f is the text that a spot covers.
func f(at spot) string { return string(at.file.text[at.start:at.end]) }

// source is the text of a stretch, on one line.
func (f *file) source(rng hcl.Range) string {
	return strings.Join(strings.Fields(string(f.text[rng.Start.Byte:rng.End.Byte])), " ")
}

// reportUnset warns of each name that a function gave a placeholder for.
func (l *loader) reportUnset(e hclsyntax.Expression, at spot) {
	for _, u := range l.unset {
		at := at
		rng := callOf(e, u)
		at.start, at.end = rng.Start.Byte, rng.End.Byte
		err := unsetError{function: u.function, name: u.name}
		l.warn(at, err.summary(), "A placeholder stands in for it here; syncd run needs it.")
	}
	l.unset = nil
}

// callOf finds the call in e that missed u, or else is all of e.
func callOf(e hclsyntax.Expression, u unsetName) hcl.Range {
	found := e.Range()
	hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		call, ok := n.(*hclsyntax.FunctionCallExpr)
		if !ok || call.Name != u.function || len(call.Args) == 0 {
			return nil
		}
		if arg, ok := call.Args[0].(*hclsyntax.TemplateExpr); ok {
			if name, ok := isLiteral(arg); ok && name == u.name {
				found = call.Range()
			}
		}
		return nil
	})
	return found
}

// evaluationError says in our words what HCL found when it evaluated.
func (l *loader) evaluationError(d *hcl.Diagnostic, at spot) {
	if d.Subject != nil {
		at.start, at.end = d.Subject.Start.Byte, d.Subject.End.Byte
	}
	summary, detail := lowerFirst(d.Summary), d.Detail
	if call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d); ok {
		var unset *unsetError
		if errors.As(call.FunctionCallError(), &unset) {
			summary, detail = unset.summary(), unset.hint
			if fn, ok := d.Expression.(hclsyntax.Expression); ok {
				at.start, at.end = fn.Range().Start.Byte, fn.Range().End.Byte
			}
		}
	}
	if unknown, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallUnknownDiagExtra](d); ok {
		summary, detail = fmt.Sprintf("unknown function %q", unknown.CalledFunctionName()), l.functionHint(unknown.CalledFunctionName())
	}
	l.report(severityOf(d), at, summary, detail)
}

func (l *loader) functionHint(name string) string {
	known := append(keys(l.globals.shared.Functions), "abspath", "file")
	if best := nearest(name, known); best != "" {
		return fmt.Sprintf("Did you mean %s?", best)
	}
	slices.Sort(known)
	return "Functions at load are " + list(known) + "."
}
