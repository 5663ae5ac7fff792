package config

import (
	"path/filepath"
	"slices"

	"github.com/syncd/syncd/engine/component"
)

// CheckSyntax reports the mistakes in the syntax of one file, in the words of Load.
// path is where messages say that it stands; what attributes of the kinds hold
// secrets is starred out in them.
func CheckSyntax(path string, text []byte, kinds []component.Kind) Diagnostics {
	l := newLoader(kinds, Options{})
	l.add(newFile(path, filepath.Base(path), text))
	return l.diags.sorted()
}

// FindFiles gives the files that a configuration at path consists of, and tests
// beside it, in lexical order: path itself, or every *.hcl file below it, hidden
// names left out.
func FindFiles(path string) ([]string, error) { return walk(path, isHCL) }

// Variables gives the names of the variables that the configuration at path
// declares, sorted, as far as it can be read. Nothing else of it is looked at.
func Variables(path string) []string {
	l := newLoader(nil, Options{})
	l.read(path)
	var names []string
	for _, f := range l.files {
		for _, b := range f.body.Blocks {
			if b.Type == "variable" && len(b.Labels) == 1 {
				names = append(names, b.Labels[0])
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
