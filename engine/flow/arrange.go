package flow

import (
	"cmp"
	"slices"

	"github.com/syncd/syncd/engine/journal"
)

// arrange puts outcomes into the order of their positions, and gives back the room that
// was left for that. They come in runs that are in order already, of the events that were
// passed over and of those in each call: to merge these takes far less than sorting.
func arrange(all, room []journal.Outcome) (ordered, left []journal.Outcome) {
	for ends := runs(all); len(ends) > 1; {
		merged, pairs, from := slices.Grow(room[:0], len(all)), ends[:0], 0
		for ; len(ends) > 1; ends = ends[2:] {
			merged = merge(merged, all[from:ends[0]], all[ends[0]:ends[1]])
			from = ends[1]
			pairs = append(pairs, from)
		}
		all, room = append(merged, all[from:]...), all
		ends = append(pairs, ends...)
	}
	return all, reuse(room)
}

// runs are the ends of those in all.
func runs(all []journal.Outcome) (ends []int) {
	for i := range all {
		if i > 0 && byPosition(&all[i], &all[i-1]) < 0 {
			ends = append(ends, i)
		}
	}
	return append(ends, len(all))
}

func merge(to, a, b []journal.Outcome) []journal.Outcome {
	for len(a) > 0 && len(b) > 0 {
		if byPosition(&b[0], &a[0]) < 0 {
			to, b = append(to, b[0]), b[1:]
		} else {
			to, a = append(to, a[0]), a[1:]
		}
	}
	return append(append(to, a...), b...)
}

func byPosition(a, b *journal.Outcome) int {
	if c := cmp.Compare(a.Source, b.Source); c != 0 {
		return c
	}
	return cmp.Compare(a.Position, b.Position)
}
