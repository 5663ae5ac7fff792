package config

import (
	"fmt"
	"strings"

	"github.com/agext/levenshtein"
)

// nearest is the candidate that name was most likely meant to be, "" if none is near.
func nearest(name string, candidates []string) string {
	best, distance := "", tolerance(len(name))+1
	for _, c := range candidates {
		if d := levenshtein.Distance(strings.ToLower(name), strings.ToLower(c), nil); d < distance && similar(name, c, d) {
			best, distance = c, d
		}
	}
	return best
}

// similar asks of short names in which d letters differ that the first one does not.
func similar(a, b string, d int) bool {
	return 3*d < len(a) || a != "" && b != "" && strings.EqualFold(a[:1], b[:1])
}

// tolerance is how many letters may be wrong in a name of n.
func tolerance(n int) int {
	switch {
	case n < 4:
		return 1
	case n < 9:
		return 2
	}
	return 3
}

// suggest is the sentence about the nearest candidate, "" if none is near.
func suggest(name string, candidates []string) string {
	if best := nearest(name, candidates); best != "" {
		return fmt.Sprintf("Did you mean %q?", best)
	}
	return ""
}

// line is s on a line of its own, nothing for "".
func line(s string) string {
	if s == "" {
		return ""
	}
	return "\n" + s
}

// list writes names as a sentence does: a, b and c.
func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// either writes names as a choice: a, b or c.
func either(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}
