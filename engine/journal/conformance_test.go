package journal_test

import (
	"testing"
	"testing/synctest"

	"github.com/syncd/syncd/engine/journal"
	"github.com/syncd/syncd/engine/journal/journaltest"
)

func harness(t *testing.T) journaltest.Harness { return harnessWith(t, 0) }

func harnessWith(t *testing.T, blob int) journaltest.Harness {
	dir := t.TempDir()
	return journaltest.Harness{
		Open: func(t *testing.T, s journaltest.Settings) journal.Journal {
			t.Helper()
			j, err := journal.Open(dir, journal.Options{Retention: s.Retention, MaxSize: s.MaxSize, Blob: blob, Ballast: -1})
			if err != nil {
				t.Fatal(err)
			}
			return j
		},
		Kill: func(_ *testing.T, j journal.Journal) { j.(*journal.SQLite).Abandon() },
	}
}

func TestConformance(t *testing.T) { journaltest.Run(t, harness) }

// TestConformanceBlobs has every payload in a file of its own.
func TestConformanceBlobs(t *testing.T) {
	journaltest.Run(t, func(t *testing.T) journaltest.Harness { return harnessWith(t, 1) })
}

func FuzzRandom(f *testing.F) {
	f.Add(uint64(2))
	f.Fuzz(func(t *testing.T, seed uint64) {
		h := harness(t)
		synctest.Test(t, func(t *testing.T) { journaltest.Random(t, h, seed, 200) })
	})
}
