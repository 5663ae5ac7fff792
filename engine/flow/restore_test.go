package flow

import (
	"bytes"
	"runtime"
	"testing"

	"github.com/syncd/syncd/engine/journal"
)

// An event of another body, as a step makes it, keeps meta and lets go of a large body.
func TestLargeBodyIsLetGo(t *testing.T) {
	raw := append(append([]byte(`"`), bytes.Repeat([]byte("x"), largeBody)...), '"')
	rec := &journal.Record{Meta: []byte(`{"n":1}`), Payload: journal.Payload{ContentType: "application/json", Raw: raw}}
	e, err := restore("source.webhook.in", rec)
	if err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	runtime.AddCleanup(e, func(gone chan struct{}) { close(gone) }, gone)
	next := e.With("small") // the last that needs e
	runtime.GC()
	<-gone
	if meta, err := next.Kept.Meta(); err != nil || meta["n"] != int64(1) {
		t.Errorf("meta: %v, %v", meta, err)
	}
}
