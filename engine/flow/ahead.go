package flow

import "github.com/syncd/syncd/engine/journal"

// ahead is a set of positions above a low one, most of which are in it: a bit for each.
type ahead struct {
	first journal.Position // of the first bit; a multiple of wordBits
	words []uint64
}

const wordBits = 64

// add takes in p, which is above low.
func (a *ahead) add(p, low journal.Position) {
	if len(a.words) == 0 {
		a.first = (low + 1) / wordBits * wordBits
	}
	for n := int((p - a.first) / wordBits); n >= len(a.words); {
		a.words = append(a.words, 0)
	}
	a.words[(p-a.first)/wordBits] |= 1 << (p % wordBits)
}

func (a *ahead) has(p journal.Position) bool {
	if p < a.first {
		return false
	}
	n := (p - a.first) / wordBits
	return n < journal.Position(len(a.words)) && a.words[n]&(1<<(p%wordBits)) != 0
}

// pass gives the last position up to which all that come after low are in the set,
// which then forgets them.
func (a *ahead) pass(low journal.Position) journal.Position {
	for a.has(low + 1) {
		low++
	}
	for len(a.words) > 0 && low+1 >= a.first+wordBits {
		a.first += wordBits
		a.words = a.words[1:]
	}
	return low
}
