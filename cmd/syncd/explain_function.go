package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/reference"
	"github.com/syncd/syncd/engine/spelling"
)

// explainFunctions prints all functions, or those of a name: some are there in
// expressions and at load.
func explainFunctions(w io.Writer, names []string, asJSON, asMarkdown bool) error {
	inExpressions, atLoad := expr.Functions(), config.LoadFunctions()
	if len(names) > 0 {
		inExpressions, atLoad = called(inExpressions, names[0]), called(atLoad, names[0])
	}
	switch {
	case len(inExpressions)+len(atLoad) == 0:
		return unknownFunction(names[0])
	case asJSON:
		return writeJSON(w, slices.Concat(inExpressions, atLoad))
	case asMarkdown:
		return reference.MarkdownFunctions(w, inExpressions, atLoad)
	}
	return reference.WriteFunctions(w, inExpressions, atLoad)
}

func called(all []expr.FunctionDoc, name string) []expr.FunctionDoc {
	return slices.DeleteFunc(all, func(f expr.FunctionDoc) bool { return f.Name != name })
}

func functionNames() []string {
	var names []string
	for _, f := range slices.Concat(expr.Functions(), config.LoadFunctions()) {
		names = append(names, f.Name)
	}
	return names
}

func isFunction(name string) bool { return slices.Contains(functionNames(), name) }

func unknownFunction(name string) error {
	if best := spelling.Nearest(name, functionNames()); best != "" {
		return fmt.Errorf("there is no function %q. Did you mean 'syncd explain function %s'?", name, best)
	}
	return fmt.Errorf("there is no function %q; 'syncd explain function' lists them", name)
}
