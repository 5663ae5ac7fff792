package journal

import (
	"os"
	"testing"
)

// What an append on its way needs stays, though no frame names it yet; a file that one of
// two has put is the other's as well.
func TestPinnedBlobsStay(t *testing.T) {
	b, err := openBlobs(t.TempDir() + "/blobs")
	if err != nil {
		t.Fatal(err)
	}
	collect := func() {
		t.Helper()
		if err := b.collect(func(string) (bool, error) { return false, nil }); err != nil {
			t.Fatal(err)
		}
	}
	there := func(name string, want bool) {
		t.Helper()
		if _, err := os.Stat(b.path(name)); (err == nil) != want {
			t.Errorf("there: %v, want %v", err == nil, want)
		}
	}
	var name string
	for range 2 {
		if name, err = b.put([]byte("a payload")); err != nil {
			t.Fatal(err)
		}
	}
	b.doubt([]string{name}) // a frame that named it has gone
	collect()
	there(name, true)
	b.unpin(name)
	collect()
	there(name, true)
	b.unpin(name)
	collect()
	there(name, false)
	if n := b.bytes.Load(); n != 0 {
		t.Errorf("%d bytes are counted", n)
	}
}
