package log

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/syncd/syncd/engine/component"
)

func TestDeliver(t *testing.T) {
	var out bytes.Buffer
	made, err := Kind.Open(component.Env{Log: slog.New(slog.NewJSONHandler(&out, nil))}, Kind.NewConfig())
	if err != nil {
		t.Fatal(err)
	}
	deliver := func(body any) error {
		e := &component.Event{ID: "e1", Source: "source.webhook.a", Body: body}
		return made.(component.Sink).Deliver(context.Background(), []component.Delivery{{ID: "d1", Event: e}}).Errors[0]
	}
	if err := deliver(map[string]any{"b": "é\n", "a": int64(1)}); err != nil {
		t.Fatal(err)
	}
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	delete(line, "time")
	want := map[string]any{"level": "INFO", "msg": "event", "event": "e1", "source": "source.webhook.a", "body": `{"a":1,"b":"é\n"}`}
	if diff := cmp.Diff(want, line); diff != "" {
		t.Error(diff)
	}
	out.Reset()
	if err := deliver(strings.Repeat("é", 100_000)); err != nil || out.Len() > 9<<10 || strings.Contains(out.String(), "\ufffd") {
		t.Errorf("%v, %d bytes", err, out.Len())
	}
	if err := deliver(math.NaN()); !component.IsPermanent(err) {
		t.Errorf("got %v", err)
	}
}
