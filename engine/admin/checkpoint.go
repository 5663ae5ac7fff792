package admin

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// Checkpoint is what a source keeps of how far it has come, in short.
type Checkpoint struct {
	Source  string `json:"source"`
	State   string `json:"state"`   // of the source
	Entries int64  `json:"entries"` // how many values it keeps
	Summary string `json:"summary"` // for people: "cursor 2026-11-25T02:30:00Z, 1204 file"
}

// Kept is one value that a source keeps. A secret one is not told: Value is null.
type Kept struct {
	Key     string          `json:"key"`
	Value   json.RawMessage `json:"value"`
	Secret  bool            `json:"secret,omitempty"`
	Expires *time.Time      `json:"expires,omitempty"`
}

// checkpointHandlers are those that have to do with sources by hand.
func checkpointHandlers(mux *http.ServeMux, d Daemon) {
	type target struct {
		Source, Key string
		Value       json.RawMessage
	}
	on := func(pattern string, act func(context.Context, target) error) {
		mux.HandleFunc(pattern, answer(func(r *http.Request) (any, error) {
			var t target
			if err := read(r, &t); err != nil {
				return nil, err
			}
			return nil, act(r.Context(), t)
		}))
	}
	on("POST /v1/trigger", func(ctx context.Context, t target) error { return d.Trigger(ctx, t.Source) })
	on("POST /v1/checkpoints/set", func(ctx context.Context, t target) error {
		if len(t.Value) == 0 {
			return newProblem(http.StatusBadRequest, "there is no value to set")
		}
		return d.SetCheckpoint(ctx, t.Source, t.Key, t.Value)
	})
	on("POST /v1/checkpoints/reset", func(ctx context.Context, t target) error { return d.ResetCheckpoint(ctx, t.Source, t.Key) })
	mux.HandleFunc("GET /v1/checkpoints", answer(func(r *http.Request) (any, error) {
		list, err := d.Checkpoints(r.Context())
		return notNil(list), err
	}))
	mux.HandleFunc("GET /v1/checkpoints/kept", func(w http.ResponseWriter, r *http.Request) { listKept(w, r, d) })
}

// listKept streams what a source keeps.
func listKept(w http.ResponseWriter, r *http.Request, d Daemon) {
	source, prefix := r.URL.Query().Get("source"), r.URL.Query().Get("prefix")
	writePages(w, func(last *Kept) ([]Kept, error) {
		after := ""
		if last != nil {
			after = last.Key
		}
		return d.Kept(r.Context(), source, prefix, after, pageSize)
	})
}

// Trigger has a source run now, beside its schedule.
func (c *Client) Trigger(ctx context.Context, source string) error {
	return c.tell(ctx, "/v1/trigger", map[string]any{"source": source})
}

// Checkpoints tells what each source keeps, in short.
func (c *Client) Checkpoints(ctx context.Context) ([]Checkpoint, error) {
	return call[[]Checkpoint](ctx, c, "GET", "/v1/checkpoints", nil)
}

// Kept streams what a source keeps under keys that begin with prefix, in their
// order. After an error there is nothing more.
func (c *Client) Kept(ctx context.Context, source, prefix string) iter.Seq2[Kept, error] {
	return stream[Kept](ctx, c, "/v1/checkpoints/kept?"+url.Values{"source": {source}, "prefix": {prefix}}.Encode())
}

// SetCheckpoint has a source go on from value, or, with a key, changes the one value
// that it keeps there.
func (c *Client) SetCheckpoint(ctx context.Context, source, key string, value json.RawMessage) error {
	return c.tell(ctx, "/v1/checkpoints/set", map[string]any{"source": source, "key": key, "value": value})
}

// ResetCheckpoint has a source begin anew, or, with a key, forget the one value
// that it keeps there.
func (c *Client) ResetCheckpoint(ctx context.Context, source, key string) error {
	return c.tell(ctx, "/v1/checkpoints/reset", map[string]any{"source": source, "key": key})
}

// tell makes a request that is answered by no more than yes.
func (c *Client) tell(ctx context.Context, path string, body any) error {
	resp, err := c.send(ctx, "POST", path, body)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
