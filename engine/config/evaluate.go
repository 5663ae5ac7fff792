package config

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/spelling"
	"github.com/zclconf/go-cty/cty"
)

// eventNames are what expressions see and HCL does not.
var eventNames = []string{"body", "meta", "event", "vars", "parent", "record", "response", "cursor"}

// value evaluates what HCL evaluates at load. False: it has mistakes, now reported.
func (l *loader) value(e hclsyntax.Expression, at spot) (cty.Value, bool) {
	return l.valueIn(l.evalContext(at.file), e, at)
}

func (l *loader) valueIn(ctx *hcl.EvalContext, e hclsyntax.Expression, at spot) (cty.Value, bool) {
	if !l.namesKnown(e, at) {
		return cty.DynamicVal, false
	}
	v, diags := e.Value(ctx)
	l.reportUnset(e, at)
	for i, d := range diags {
		if i == 0 || !sameOperator(d, diags[i-1]) {
			l.evaluationError(d, e, at)
		}
	}
	if diags.HasErrors() {
		return cty.DynamicVal, false
	}
	if v.Type() == cty.Number && v.IsKnown() && !v.IsNull() && isInfinite(v) {
		at.start, at.end = e.Range().Start.Byte, e.Range().End.Byte
		l.error(at, "not a finite number", "Is there a division by zero?")
		return cty.DynamicVal, false
	}
	return v, true
}

// sameOperator tells whether both are about the operands of one operator.
func sameOperator(a, b *hcl.Diagnostic) bool {
	return a.Summary == b.Summary && a.Context != nil && b.Context != nil && *a.Context == *b.Context
}

func isInfinite(v cty.Value) bool {
	v, _ = v.Unmark()
	return v.AsBigFloat().IsInf()
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
	case root == "each":
		return l.eachKnown(t, at)
	case isGlobal && l.globals.plain:
		l.error(at, "a default stands for itself", "The default of a variable is a plain value: it cannot refer to var, local or secret. Put what depends on others into locals.")
	case isGlobal && l.globals.find(t) != nil:
		l.globals.used[l.globals.find(t).String()] = true
		return true
	case isGlobal && (len(t) < 2 || !isAttr(t[1])):
		l.error(at, fmt.Sprintf("%s alone is not a value", root), fmt.Sprintf("Name one of them: %s.NAME.", root))
	case isGlobal && l.incomplete:
	case isGlobal:
		l.unknownGlobal(t, defs, at)
	case isReferenceRoot(root) && l.expanding:
		l.error(at, "for_each over components", fmt.Sprintf("for_each goes through values: literals, var, local and what functions make of them. %s names a component.", at.source()))
	case root == "table":
		l.error(at, "a table has no value at load", "Its rows are looked up in an expression: table('NAME', key).")
	case isReferenceRoot(root):
		l.error(at, "a reference where a value belongs", fmt.Sprintf("%s names a component; it has no value at load.", at.source()))
	case slices.Contains(eventNames, root):
		l.error(at, fmt.Sprintf("%s is not known at load", root), at.perEvent(e))
	case l.hidden(at):
		l.error(at, "text without quotes", "Text is put in quotes. A secret is better kept in a file that credential(…) reads, or in the environment, env(…).")
	default:
		l.error(at, fmt.Sprintf("unknown name %q", root), l.unknownRootHint(t, root))
	}
	return false
}

// perEvent says how what depends on an event, as e does, is written in a field.
func (at spot) perEvent(e hclsyntax.Expression) string {
	if wrapped, ok := e.(*hclsyntax.TemplateWrapExpr); ok {
		e = wrapped.Wrapped
	}
	say, when := at.file.source(e.Range()), ""
	if at.field != nil {
		when, _ = evaluated(at.field.typ)
	}
	_, isText := e.(*hclsyntax.TemplateExpr)
	switch {
	case when == "template":
		return fmt.Sprintf("What depends on an event stands in a hole of the text, which is quoted: {{ %s }}.", say)
	case when == "value":
		return fmt.Sprintf("%s is read once, at load, and cannot depend on an event.", at.field.name)
	case isText:
		return "What stands in ${…} is computed once, at load. What depends on an event is an expression, of an attribute that takes one."
	}
	return fmt.Sprintf("What depends on an event is an expression, and expressions are quoted: %q.", say)
}

func (l *loader) unknownGlobal(t hcl.Traversal, defs map[string]*global, at spot) {
	root, name := t.RootName(), t[1].(hcl.TraverseAttr).Name
	how := map[string]string{
		"var":    fmt.Sprintf("variable %q { default = … }", name),
		"local":  fmt.Sprintf("locals { %s = … }", name),
		"secret": fmt.Sprintf("secret %q { value = … }", name),
	}[root]
	hint := suggestPath(root+".", name, keys(defs))
	if nameRule.MatchString(name) {
		hint = fmt.Sprintf("It would be declared by %s.", how) + line(hint)
	} else if hint == "" {
		hint = nameForm
	}
	l.error(at, fmt.Sprintf("unknown %s.%s", root, name), hint)
}

// suggestPath is suggest for the last part of a path.
func suggestPath(prefix, name string, candidates []string) string {
	if best := spelling.Nearest(name, candidates); best != "" {
		return fmt.Sprintf("Did you mean %s%s?", prefix, best)
	}
	return ""
}

func (l *loader) unknownRootHint(t hcl.Traversal, root string) string {
	if best := spelling.Nearest(root, append(slices.Clone(globalRoots), "true", "false", "null")); best != "" {
		return fmt.Sprintf("Did you mean %s?", best)
	}
	if best := spelling.Nearest(root, eventNames); best != "" {
		return fmt.Sprintf("Did you mean %s? What depends on an event is an expression, and expressions are quoted.", best)
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

// reportUnset warns of each name that a function gave a placeholder for.
func (l *loader) reportUnset(e hclsyntax.Expression, at spot) {
	for _, u := range l.unset {
		at := at
		rng, name := l.callOf(e, u)
		at.start, at.end = rng.Start.Byte, rng.End.Byte
		err := unsetError{function: u.function, name: name}
		l.warn(at, err.summary(), "A placeholder stands in for it here; syncd run needs it.")
	}
	l.unset = nil
}

// callOf finds the call in e that missed u, or else is all of e; the name is
// masked where it is computed from something sensitive.
func (l *loader) callOf(e hclsyntax.Expression, u unsetName) (at hcl.Range, name string) {
	at, name = e.Range(), u.name
	hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		call, ok := n.(*hclsyntax.FunctionCallExpr)
		if !ok || call.Name != u.function || len(call.Args) == 0 {
			return nil
		}
		if l.sensitive(call.Args[0]) {
			name = "(sensitive)"
		}
		if arg, ok := call.Args[0].(*hclsyntax.TemplateExpr); ok {
			if literal, ok := isLiteral(arg); ok && literal == u.name {
				at = call.Range()
			}
		}
		return nil
	})
	return at, name
}

// sensitive tells whether anything in e is sensitive: what fails on it may quote it.
func (l *loader) sensitive(e hclsyntax.Expression) bool {
	found := false
	hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		if call, ok := n.(*hclsyntax.FunctionCallExpr); ok && (call.Name == "sensitive" || call.Name == "credential") {
			found = true
		}
		return nil
	})
	for _, t := range e.Variables() {
		if g := l.globals.find(t); g != nil && g.value != cty.NilVal && g.value.ContainsMarked() {
			found = true
		}
		if t.RootName() == "each" && l.each != nil && l.each.value.ContainsMarked() {
			found = true
		}
	}
	return found
}

// evaluationError says in our words what HCL found when it evaluated e.
func (l *loader) evaluationError(d *hcl.Diagnostic, e hclsyntax.Expression, at spot) {
	if d.Subject != nil {
		at.start, at.end = d.Subject.Start.Byte, d.Subject.End.Byte
	}
	summary, detail := lowerFirst(d.Summary), d.Detail
	unknown, isUnknown := hcl.DiagnosticExtra[hclsyntax.FunctionCallUnknownDiagExtra](d)
	call, isCall := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d)
	var unset *unsetError
	switch {
	case isUnknown:
		summary, detail = fmt.Sprintf("unknown function %q", unknown.CalledFunctionName()), l.functionHint(unknown.CalledFunctionName())
	case isCall && errors.As(call.FunctionCallError(), &unset):
		l.unsetError(unset, d, e, at)
		return
	case isCall && call.FunctionCallError() != nil:
		summary, detail = call.CalledFunctionName()+" failed", failure(call.FunctionCallError())
	case isCount(d):
		summary, detail = "wrong number of arguments", l.callHint(d, at.file.eval)
	case d.Summary == "Invalid function argument":
		summary = "wrong kind of argument"
	default:
		if w, ok := evaluations[d.Summary]; ok {
			summary, detail = w.summary, w.detail
		}
	}
	if !isUnknown && l.sensitiveCall(e, d) {
		detail = "What exactly is wrong is not shown: something in it is sensitive."
	}
	l.report(severityOf(d), at, summary, detail)
}

// sensitiveCall tells whether d, found in e, may quote something sensitive: an
// argument of the call that failed, or else anything in e.
func (l *loader) sensitiveCall(e hclsyntax.Expression, d *hcl.Diagnostic) bool {
	call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d)
	if !ok || d.Subject == nil {
		return l.sensitive(e)
	}
	found := false
	hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		fn, ok := n.(*hclsyntax.FunctionCallExpr)
		if ok && fn.Name == call.CalledFunctionName() && fn.Range().ContainsOffset(d.Subject.Start.Byte) {
			found = found || slices.ContainsFunc(fn.Args, l.sensitive)
		}
		return nil
	})
	return found
}

// unsetError reports a name that is not set, at its call.
func (l *loader) unsetError(unset *unsetError, d *hcl.Diagnostic, e hclsyntax.Expression, at spot) {
	if call, ok := d.Expression.(*hclsyntax.FunctionCallExpr); ok {
		e = call.Args[0]
		at.start, at.end = call.Range().Start.Byte, call.Range().End.Byte
	}
	if l.sensitive(e) {
		unset = &unsetError{unset.function, "(sensitive)", "Set it where syncd runs."}
	}
	l.report(Error, at, unset.summary(), unset.hint)
}

func failure(err error) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "The text ends too early."
	}
	return sentence(opening(err.Error()))
}

func (l *loader) functionHint(name string) string {
	known := append(keys(l.globals.shared.Functions), "abspath", "file")
	if best := spelling.Nearest(name, known); best != "" {
		return fmt.Sprintf("Did you mean %s?", best)
	}
	if _, ok := foreignLoadFunctions[name]; ok {
		return foreignLoadFunctions[name]
	}
	if slices.ContainsFunc(expr.Functions(), func(f expr.FunctionDoc) bool { return f.Name == name }) {
		return fmt.Sprintf("%s is a function of expressions, which are quoted and see each event.", name)
	}
	return "'syncd explain function' lists what there is."
}
