package layout

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzFormat: whatever has no mistakes in its syntax means the same in canonical
// form and keeps it; nothing else makes Format panic.
func FuzzFormat(f *testing.F) {
	for _, pattern := range []string{"testdata/*.txtar", "../testdata/*/*.hcl", "../../../examples/*/*.hcl"} {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			src, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(src)
		}
	}
	for _, s := range []string{
		"a=[<<E\n x\nE\n,1 ]", "a = f(<<-E\n  ${ b( \n 1 ) }\n E\n)\n", "a = \"${ {a=1} }%{ if x }y%{ endif ~}\"", "a=- -1\nb = ! x\nc = x . y [ 0 ] . * . z",
		"a = [for k,v in x : v if v!=1]\n", "a = /* x */ 1 # y\nb/**/=2 //z", "a={\n\n\nb=1,\n\nc : 2}\n", "b \"x\" y {}\nb {\r\n}\r\n", "a = (\n\n1 # x\n\n+ 2\n)", "a = \"\" <<-E \nE",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		Format(src)
		checkFormat(t, src)
	})
}
