// Package spelling finds the name that somebody most likely meant.
package spelling

import (
	"strings"
	"unicode/utf8"
)

// Nearest is the candidate that name was most likely meant to be, "" if none is
// near. Case does not count. Of equally near ones it is the first.
func Nearest(name string, candidates []string) string {
	best, least := "", tolerance(name)+1
	for _, c := range candidates {
		if d := Distance(name, c); d < least && similar(name, c, d) {
			best, least = c, d
		}
	}
	if best == "" {
		return fuller(name, candidates)
	}
	return best
}

// fuller is the only candidate that has name as a word of it: base_url for url.
func fuller(name string, candidates []string) string {
	best := ""
	for _, c := range candidates {
		if len(name) > 2 && c != name && strings.Contains("_"+strings.ToLower(c)+"_", "_"+strings.ToLower(name)+"_") {
			if best != "" && best != c {
				return ""
			}
			best = c
		}
	}
	return best
}

// similar asks of short names in which d letters differ that the first one does not.
func similar(a, b string, d int) bool {
	return 3*d < len(a) || a != "" && b != "" && strings.EqualFold(a[:1], b[:1])
}

// tolerance is how many letters of name may be wrong.
func tolerance(name string) int {
	switch n := utf8.RuneCountInString(name); {
	case n < 5:
		return 1
	case n < 9:
		return 2
	}
	return 3
}

// Distance counts the letters to be added, taken away, changed or swapped with their
// neighbour to make b of a. Case does not count.
func Distance(a, b string) int {
	from, to := []rune(strings.ToLower(a)), []rune(strings.ToLower(b))
	before, last, row := make([]int, len(to)+1), make([]int, len(to)+1), make([]int, len(to)+1)
	for j := range last {
		last[j] = j
	}
	for i, x := range from {
		row[0] = i + 1
		for j, y := range to {
			changed := last[j]
			if x != y {
				changed++
			}
			row[j+1] = min(changed, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && x == to[j-1] && from[i-1] == y {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(to)]
}
