package flow

import (
	"bytes"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/journal"
)

// The files of a multipart form are part of meta.
func TestMultipartForm(t *testing.T) {
	const form = "--XX\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n1\r\n" +
		"--XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\n\r\nx\r\n--XX--\r\n"
	rec := &journal.Record{Meta: []byte(`{"path":"/h"}`), Payload: journal.Payload{ContentType: "multipart/form-data; boundary=XX", Raw: []byte(form)}}
	e, err := restore("source.webhook.in", rec)
	if err != nil {
		t.Fatal(err)
	}
	meta, err := e.Kept.Meta()
	file := map[string]any{"field": "f", "name": "a.txt", "content_type": "application/octet-stream", "size": int64(1), "content": "x"}
	want := []any{map[string]any{"n": "1"}, map[string]any{"path": "/h", "attachments": []any{file}}, error(nil)}
	if diff := cmp.Diff(want, []any{e.Body, meta, err}); diff != "" {
		t.Error(diff)
	}
}

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
