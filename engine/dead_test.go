package engine

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/semaphore"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/journal"
)

// Many large dead letters are listed and dropped without all being in memory.
func TestLargeDeadLetters(t *testing.T) {
	const letters, size = 64, 1 << 20
	db, err := journal.Open(filepath.Join(t.TempDir(), "state"), journal.Options{Now: now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	envelope := bytes.Repeat([]byte("x"), size)
	for n := range letters {
		ex := journal.Exception{
			Key: journal.Key{Source: "source.fake.a", Path: strconv.Itoa(n)}, EventID: strconv.Itoa(n),
			Envelope: envelope, Dead: true, Errors: []journal.Failure{{Time: now(), Error: "no such order"}},
		}
		if _, err := db.Append(t.Context(), journal.Append{Source: "source.fake.a", Dead: []journal.Exception{ex}}); err != nil {
			t.Fatal(err)
		}
	}
	e := &engine{journal: db, reading: semaphore.NewWeighted(lettersAtOnce), letters: semaphore.NewWeighted(lettersRoom)}
	var list []admin.DeadLetter
	listed := peak(func() {
		if list, err = e.Dead(t.Context(), admin.Filter{Source: "source.fake.a"}, 0, 500); err != nil || len(list) != letters {
			t.Fatalf("%d listed, %v", len(list), err)
		}
	})
	for n, d := range list {
		if d.Event != strconv.Itoa(n) || d.Error != "no such order" || d.Payload != nil {
			t.Errorf("letter %d: %+v", n, d)
		}
	}
	dropped := peak(func() {
		var group sync.WaitGroup
		for _, d := range list {
			group.Go(func() {
				if err := e.Drop(t.Context(), d.ID); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	})
	if list, err = e.Dead(t.Context(), admin.Filter{}, 0, 500); err != nil || len(list) != 0 {
		t.Errorf("%d left, %v", len(list), err)
	}
	t.Logf("%d MiB of letters: listed in %d MiB, dropped in %d", letters*size>>20, listed>>20, dropped>>20)
	if most := max(listed, dropped); most > letters*size*3/4 {
		t.Errorf("%d MiB of letters took %d MiB", letters*size>>20, most>>20)
	}
}

// peak is by how much the live heap grew, at most, while do ran.
func peak(do func()) int64 {
	live := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := live()
	var most, over atomic.Int64
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for over.Load() == 0 {
			most.Store(max(most.Load(), live()-before))
		}
	}()
	do()
	over.Store(1)
	<-watched
	return most.Load()
}
