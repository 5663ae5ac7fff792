package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// maxRequest bounds the body of a request, in bytes: some 100,000 ids.
const maxRequest = 2 << 20

// Handler serves the API:
//
//	GET  /v1/status           Status
//	GET  /v1/dead             a list of DeadLetter; ?source= ?flow= ?sink=
//	GET  /v1/dead/{id}        DeadLetter
//	POST /v1/dead/retry       Selection, answered by Outcome
//	POST /v1/dead/drop        the same
//	POST /v1/lanes/drop       {"flow", "sink"}, answered by 204
//	POST /v1/trigger          {"source"}, answered by 204
//	GET  /v1/checkpoints      a list of Checkpoint
//	GET  /v1/checkpoints/kept a list of Kept; ?source= ?prefix=
//	POST /v1/checkpoints/set  {"source", "key", "value"}, answered by 204; without a key: where to go on from
//	POST /v1/checkpoints/reset {"source", "key"}, answered by 204; without a key: all
//	POST /v1/reload           ReloadOptions, answered by Reload
//	POST /v1/keep             answered by 204
//	GET  /v1/plan             Plan; ?path=
//	GET  /v1/configs          a list of Generation
//	GET  /v1/configs/{n}      Generation with its files; 0: the one that runs, -1: the one before it
//	POST /v1/rollback         {"generation"}, answered by Reload; 0: the one before
//
// Errors are answered as Problem.
func Handler(d Daemon) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", answer(func(r *http.Request) (any, error) {
		s, err := d.Status(r.Context())
		return s.filled(), err
	}))
	mux.HandleFunc("GET /v1/dead", func(w http.ResponseWriter, r *http.Request) { listDead(w, r, d) })
	mux.HandleFunc("GET /v1/dead/{id}", answer(func(r *http.Request) (any, error) {
		id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
		if err != nil {
			return nil, newProblem(http.StatusBadRequest, fmt.Sprintf("%q is not the id of a dead letter: ids are whole numbers", r.PathValue("id")))
		}
		return d.DeadLetter(r.Context(), id)
	}))
	mux.HandleFunc("POST /v1/dead/retry", answer(onSelection(d, d.Retry)))
	mux.HandleFunc("POST /v1/dead/drop", answer(onSelection(d, d.Drop)))
	mux.HandleFunc("POST /v1/lanes/drop", answer(func(r *http.Request) (any, error) {
		var lane struct{ Flow, Sink string }
		if err := read(r, &lane); err != nil {
			return nil, err
		}
		return nil, d.DropLane(r.Context(), lane.Flow, lane.Sink)
	}))
	checkpointHandlers(mux, d)
	configHandlers(mux, d)
	return problems{mux}
}

// problems answers as Problem what the mux itself would answer as text: an unknown
// path, a wrong method.
type problems struct{ *http.ServeMux }

func (p problems) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, pattern := p.Handler(r); pattern != "" {
		p.ServeMux.ServeHTTP(w, r)
		return
	}
	own := &muxAnswer{ResponseWriter: w}
	p.ServeMux.ServeHTTP(own, r)
	newProblem(own.status, r.Method+" "+r.URL.Path+" is nothing that can be asked for").write(w)
}

// muxAnswer keeps what the mux answers from being written, but for its header.
type muxAnswer struct {
	http.ResponseWriter
	status int
}

func (a *muxAnswer) WriteHeader(status int)      { a.status = status }
func (a *muxAnswer) Write(b []byte) (int, error) { return len(b), nil }

// configHandlers are those that have to do with configurations.
func configHandlers(mux *http.ServeMux, d Daemon) {
	mux.HandleFunc("POST /v1/reload", answer(func(r *http.Request) (any, error) {
		var o ReloadOptions
		if err := read(r, &o); err != nil {
			return nil, err
		}
		if o.Confirm < 0 {
			return nil, newProblem(http.StatusBadRequest, "confirm is the time to wait, in nanoseconds, and cannot be negative")
		}
		return d.Reload(r.Context(), o)
	}))
	mux.HandleFunc("POST /v1/keep", answer(func(r *http.Request) (any, error) { return nil, d.Keep(r.Context()) }))
	mux.HandleFunc("GET /v1/plan", answer(func(r *http.Request) (any, error) { return d.Plan(r.Context(), r.URL.Query().Get("path")) }))
	mux.HandleFunc("GET /v1/configs", answer(func(r *http.Request) (any, error) { return d.Generations(r.Context()) }))
	mux.HandleFunc("GET /v1/configs/{n}", answer(func(r *http.Request) (any, error) {
		n, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
		if err != nil {
			return nil, newProblem(http.StatusBadRequest, fmt.Sprintf("%q is not the number of a generation", r.PathValue("n")))
		}
		return d.Generation(r.Context(), n)
	}))
	mux.HandleFunc("POST /v1/rollback", answer(func(r *http.Request) (any, error) {
		var to struct{ Generation int64 }
		if err := read(r, &to); err != nil {
			return nil, err
		}
		return d.Rollback(r.Context(), to.Generation)
	}))
}

// answer makes a handler of a function that yields what to send; nil: 204.
func answer(f func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := f(r)
		switch {
		case err != nil:
			problemOf(err).write(w)
		case v == nil:
			w.WriteHeader(http.StatusNoContent)
		default:
			w.Header().Set("Content-Type", "application/json")
			_ = newEncoder(w).Encode(v) // a client that has gone need not be told
		}
	}
}

func onSelection(d Daemon, act func(context.Context, int64) error) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		var s Selection
		if err := read(r, &s); err != nil {
			return nil, err
		}
		return actOn(r.Context(), d, s, act)
	}
}

// read takes what is asked; nothing at all leaves v as it is.
func read(r *http.Request, v any) error {
	dec := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxRequest))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil && !errors.Is(err, io.EOF) {
		return newProblem(http.StatusBadRequest, "read request: "+err.Error())
	}
	return nil
}
