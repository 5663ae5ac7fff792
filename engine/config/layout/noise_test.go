package layout

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/config"
)

// However white space is strewn over a configuration, its canonical form is the
// same; and with more blank lines, it means the same.
func TestNoise(t *testing.T) {
	n := 0
	for _, pattern := range []string{"../testdata/*/*.hcl", "../../../examples/*/*.hcl", "testdata/*.txtar"} {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, in, ok := bytes.Cut(src, []byte("-- in.hcl --\n")); ok {
				src, _, _ = bytes.Cut(in, []byte("-- out.hcl --\n"))
			}
			src = bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n")) // noise goes in front of an end of line
			if config.CheckSyntax(path, src, nil).HasErrors() {
				continue
			}
			n++
			want := string(Format(src))
			for seed := range uint64(8) {
				r := rand.New(rand.NewPCG(seed, 0))
				noisy := strew(r, src, []string{"", " ", "\t", "  \t "}, []string{""})
				checkFormat(t, noisy)
				if d := cmp.Diff(want, string(Format(noisy))); d != "" {
					t.Fatalf("%s, seed %d: %s", path, seed, d)
				}
				checkFormat(t, strew(r, src, []string{"", " "}, []string{"", "\n", "\n\n\n"}))
			}
		}
	}
	if n < 8 {
		t.Errorf("only %d files were strewn", n)
	}
}

// strew puts some of spaces where src has white space, and some of lines where a
// line of it ends, but nothing into pieces and comments.
func strew(r *rand.Rand, src []byte, spaces, lines []string) []byte {
	var out strings.Builder
	last := 0
	for _, p := range append(pieces(src), piece{start: len(src), end: len(src)}) {
		for line := range strings.Lines(string(src[last:p.start])) {
			code, comment := line, ""
			if i := strings.IndexAny(line, "#"); i >= 0 {
				code, comment = line[:i], line[i:]
			} else if i := strings.Index(line, "//"); i >= 0 {
				code, comment = line[:i], line[i:]
			}
			for _, c := range code {
				if c == ' ' || c == '\n' {
					out.WriteString(spaces[r.IntN(len(spaces))])
				}
				out.WriteRune(c)
			}
			out.WriteString(comment)
			if strings.HasSuffix(line, "\n") {
				out.WriteString(lines[r.IntN(len(lines))])
			}
		}
		out.Write(src[p.start:p.end])
		last = p.end
	}
	return []byte(out.String())
}
