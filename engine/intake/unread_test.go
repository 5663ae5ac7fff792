package intake

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

func unread(raw string) component.Draft {
	return component.Draft{Raw: []byte(raw), Names: []string{"id", "n"}, RawMeta: []byte(`{"row":3}`), Fault: placed(raw)}
}

type placed string

func (p placed) Error() string { return p.Place() + ": " + string(p) }
func (p placed) Place() string { return "a.csv: line 3" }

// A record that its source could not read keeps its text, and is read again when it
// is retried.
func TestUnreadRecords(t *testing.T) {
	ctx := context.Background()
	j := openJournal(t, t.TempDir())
	defer j.Close()
	var common component.SourceCommon
	common.SetDefaults()
	mended := false
	in, err := New(Options{Source: source, Common: &common, Journal: j, Now: func() time.Time { return noon }, Parse: func(d component.Draft) (component.Draft, error) {
		if !mended {
			return d, errors.New("still not readable")
		}
		if diff := cmp.Diff([]string{"id", "n"}, d.Names); diff != "" || d.Values != nil {
			t.Error(diff)
		}
		return component.Draft{Names: d.Names, Values: []any{"7", string(d.Raw)}, RawMeta: d.RawMeta}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	first := accept(t, in, component.Draft{Names: []string{"id"}, Values: []any{"1"}}, unread(`7;"x`))
	letters, err := j.Exceptions(ctx, journal.ExceptionQuery{DeadOnly: true})
	if err != nil || len(letters) != 1 {
		t.Fatalf("%d dead letters, %v", len(letters), err)
	}
	body, meta, err := Show(letters[0].Envelope)
	if string(body) != `"7;\"x"` || string(meta) != `{"row":3}` || err != nil {
		t.Errorf("shown as %s, %s, %v", body, meta, err)
	}
	if err := in.Retry(ctx, letters[0]); fmt.Sprint(err) != "still not readable" {
		t.Errorf("got %v", err)
	}
	mended = true
	if err := in.Retry(ctx, letters[0]); err != nil {
		t.Fatal(err)
	}
	frames, err := j.Read(ctx, source, 1, 1<<20)
	if err != nil || len(frames) != 1 {
		t.Fatalf("%d frames, %v", len(frames), err)
	}
	e := frames[0].Events[0]
	if diff := cmp.Diff([]any{"7", `7;"x`}, e.Payload.Values); diff != "" || e.ID.String() != first[1].ID || string(e.Meta) != `{"row":3}` {
		t.Errorf("%+v: %s", e, diff)
	}
}

// What cannot be read cannot be masked: nothing of it is kept.
func TestUnreadRecordsAreNotMasked(t *testing.T) {
	j := &recorder{}
	in := newIntake(t, j, attributes{redact: []string{"body.card"}})
	accept(t, in, unread("4111111111111111"))
	d := j.appends[0].Dead[0]
	if text := string(d.Envelope) + d.Errors[0].Error; strings.Contains(text, "4111") || !strings.Contains(text, "a.csv: line 3: the record could not be read; it was not kept") {
		t.Error(text)
	}
}
