package config

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty/function"
)

// evaluations are our words for what HCL finds when it evaluates, by its summary.
var evaluations = map[string]wording{
	"Unsupported attribute":                    {"no such field", "The value before the dot has no field of this name. An object's field may be read by lookup(OBJECT, \"NAME\", DEFAULT)."},
	"Missing map element":                      {"no such field", "The value before the dot has no field of this name. An object's field may be read by lookup(OBJECT, \"NAME\", DEFAULT)."},
	"Invalid index":                            {"no such element", "The list has no element at this place, or the object no field of this name. Elements are counted from 0."},
	"Attempt to index null value":              {"an element of null", "The value before [ is null: it has no elements."},
	"Attempt to get attribute from null value": {"a field of null", "The value before the dot is null: it has no fields."},
	"Invalid operand":                          {"wrong kind of value", "This operator takes numbers, or, as &&, || and !, true and false. Text is joined inside of quotes: \"${var.a}-${var.b}\"."},
	"Operation failed":                         {"this cannot be calculated", "Is it a division by zero?"},
	"Incorrect condition type":                 {"a condition is true or false", "What stands before the ? must be true or false: var.size > 5 ? … : …."},
	"Null condition":                           {"a condition is true or false", "What stands before the ? is null."},
	"Inconsistent conditional result types":    {"two kinds of value", "What stands on both sides of the colon must be of one kind: two texts, say, or two lists of the same length."},
	"Iteration over non-iterable value":        {"not a list", "for goes through a list or an object."},
	"Iteration over null value":                {"not a list", "for goes through a list or an object, and this is null."},
	"Duplicate object key":                     {"a key comes twice", "Two elements of the object get the same key. To keep both, write … behind the value: then each key has a list."},
	"Invalid template interpolation value":     wordings["Invalid template interpolation value"],
}

// isCount tells whether d is about how many arguments a function was given.
func isCount(d *hcl.Diagnostic) bool {
	return d.Summary == "Not enough function arguments" || d.Summary == "Too many function arguments"
}

// callHint says how the function of a call is called.
func (l *loader) callHint(d *hcl.Diagnostic, ctx *hcl.EvalContext) string {
	call, ok := d.Expression.(*hclsyntax.FunctionCallExpr)
	if !ok {
		return d.Detail
	}
	fn, ok := ctx.Functions[call.Name]
	if !ok {
		if fn, ok = l.globals.shared.Functions[call.Name]; !ok {
			return d.Detail
		}
	}
	return fmt.Sprintf("%s was given %s. Write %s.", call.Name, plural(len(call.Args), "argument"), signature(call.Name, fn))
}

// signature shows the parameters of a function: replace(str, substr, replace).
func signature(name string, fn function.Function) string {
	var params []string
	for _, p := range fn.Params() {
		params = append(params, p.Name)
	}
	if p := fn.VarParam(); p != nil {
		params = append(params, p.Name+"…")
	}
	return name + "(" + strings.Join(params, ", ") + ")"
}
