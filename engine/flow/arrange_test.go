package flow

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/syncd/syncd/engine/journal"
)

func TestArrange(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var room []journal.Outcome
	for range 200 {
		var all []journal.Outcome
		for run := range r.IntN(9) {
			p := journal.Position(r.IntN(100))
			for range r.IntN(20) {
				p += journal.Position(1 + r.IntN(3))
				all = append(all, journal.Outcome{Source: "ab"[run%2:][:1], Position: p, Attempts: run})
			}
		}
		want := slices.Clone(all)
		slices.SortStableFunc(want, func(a, b journal.Outcome) int {
			return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Position, b.Position))
		})
		var got []journal.Outcome
		if got, room = arrange(all, room); !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
}
