package admin

import (
	"context"
	"encoding/json"
	"fmt"
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
	return mux
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

func read(r *http.Request, v any) error {
	dec := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxRequest))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return newProblem(http.StatusBadRequest, "read request: "+err.Error())
	}
	return nil
}
