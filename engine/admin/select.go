package admin

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

const (
	// pageSize is how many entries of a list are asked for at a time, so that a list of
	// millions needs no more memory than one of hundreds.
	pageSize = 500
	// actors is how many dead letters are acted upon at a time: changes that arrive
	// together share one sync of the journal.
	actors = 64
	// maxFailures is when acting on many is given up: it is not about single ones then.
	maxFailures = 100
)

// listDead streams the list of dead letters.
func listDead(w http.ResponseWriter, r *http.Request, d Daemon) {
	q := r.URL.Query()
	f := Filter{Source: q.Get("source"), Flow: q.Get("flow"), Sink: q.Get("sink")}
	writePages(w, func(last *DeadLetter) ([]DeadLetter, error) {
		after := int64(0)
		if last != nil {
			after = last.ID
		}
		return d.Dead(r.Context(), f, after, pageSize)
	})
}

// writePages streams a list, page by page: next gives the one behind an entry, or, of
// nil, the first. An error after that cuts the answer short, which no reader of JSON
// takes for the end.
func writePages[T any](w http.ResponseWriter, next func(last *T) ([]T, error)) {
	page, err := next(nil)
	if err != nil {
		problemOf(err).write(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	enc, sep := newEncoder(w), "["
	for len(page) > 0 {
		for i := range page {
			io.WriteString(w, sep)
			_ = enc.Encode(&page[i])
			sep = ","
		}
		if page, err = next(&page[len(page)-1]); err != nil {
			panic(http.ErrAbortHandler)
		}
	}
	if sep == "[" {
		io.WriteString(w, sep)
	}
	io.WriteString(w, "]\n")
}

func newEncoder(w io.Writer) *json.Encoder {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc
}

// actOn acts on each dead letter of the selection. What goes wrong with one is not
// an error of the others.
func actOn(ctx context.Context, d Daemon, s Selection, act func(context.Context, int64) error) (Outcome, error) {
	ids, err := s.resolve(ctx, d)
	if err != nil {
		return Outcome{}, err
	}
	o := outcome{Outcome: Outcome{NotFound: []int64{}, Failed: []Refusal{}}, all: s.All}
	var g errgroup.Group
	g.SetLimit(actors)
	for _, id := range ids {
		if ctx.Err() != nil || o.hopeless() {
			break
		}
		g.Go(func() error {
			o.note(id, act(ctx, id))
			return nil
		})
	}
	_ = g.Wait() // errors are counted
	slices.Sort(o.NotFound)
	return o.Outcome, ctx.Err()
}

// outcome is an Outcome being counted.
type outcome struct {
	Outcome
	mu  sync.Mutex
	all bool
}

func (o *outcome) note(id int64, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case err == nil:
		o.Done++
	case !errors.Is(err, ErrNotFound):
		o.Failed = append(o.Failed, Refusal{ID: id, Error: err.Error()})
	case !o.all: // with all, it came to an end meanwhile
		o.NotFound = append(o.NotFound, id)
	}
}

func (o *outcome) hopeless() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.Failed) >= maxFailures
}

// resolve lists the ids before anything is done, so that a letter that dies again
// at once is not taken twice.
func (s Selection) resolve(ctx context.Context, d Daemon) ([]int64, error) {
	switch {
	case s.All && len(s.IDs) > 0:
		return nil, newProblem(http.StatusBadRequest, "give ids or all, not both")
	case !s.All && s.Filter != Filter{}:
		return nil, newProblem(http.StatusBadRequest, "a filter goes with all, not with ids")
	case !s.All && len(s.IDs) == 0:
		return nil, newProblem(http.StatusBadRequest, "nothing selected: give ids, or all")
	case !s.All:
		return s.IDs, nil
	}
	var ids []int64
	for after := int64(0); ; after = ids[len(ids)-1] {
		page, err := d.Dead(ctx, s.Filter, after, pageSize)
		if err != nil || len(page) == 0 {
			return ids, err
		}
		for i := range page {
			ids = append(ids, page[i].ID)
		}
	}
}
