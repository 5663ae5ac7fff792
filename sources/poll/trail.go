package poll

import (
	"fmt"
	"hash/maphash"
	"time"
)

// trail remembers where a run has been, to notice when it goes in circles. It is of
// this process alone; after a restart it begins at the page that the run goes on with.
type trail struct {
	began time.Time
	pages map[uint64]int // numbers of pages by their place, and by what they hold
}

// maxTrail bounds it. A run of more pages than that forgets where it began.
const maxTrail = 1 << 17

var trailSeed = maphash.MakeSeed()

// visit notes that the page of p is being read.
func (t *trail) visit(p *progress) {
	if !t.began.Equal(p.Began) || len(t.pages) > maxTrail {
		*t = trail{p.Began, map[uint64]int{}}
	}
	t.pages[hashOf('@', p.At.v)] = p.Page
}

// place is the number of the page that lies at next, 0 if none does.
func (t *trail) place(p *progress, next any) int {
	if n := t.pages[hashOf('@', next)]; n <= p.Page {
		return n
	}
	return 0
}

// page is the number of another page that held the same, 0 if none did.
func (t *trail) page(p *progress, sum string) int {
	key := hashOf('#', sum)
	if n := t.pages[key]; n > 0 && n < p.Page {
		return n
	}
	t.pages[key] = p.Page
	return 0
}

func hashOf(kind byte, v any) uint64 {
	return maphash.String(trailSeed, fmt.Sprintf("%c%T:%v", kind, v, v))
}
