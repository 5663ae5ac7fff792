package simulation

import (
	"sync"
	"time"
)

// In a bubble whose waits all end at different instants one goroutine runs at a
// time, and what it reads of the model has been written by those before it. The
// race detector does not know of virtual time: turn tells it, wherever a
// goroutine begins to run and before it waits.
func turn() {
	baton.Lock()
	defer baton.Unlock()
}

var baton sync.Mutex

// sleep waits for d of virtual time.
func sleep(d time.Duration) {
	turn()
	time.Sleep(d)
	turn()
}
