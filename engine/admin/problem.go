package admin

import (
	"encoding/json"
	"errors"
	"net/http"
)

// Problem is an error as the API answers it: RFC 9457 problem details.
type Problem struct {
	Status int    `json:"status"` // of HTTP
	Title  string `json:"title"`
	Detail string `json:"detail"`
}

func (p *Problem) Error() string { return p.Detail }

// problemOf finds the status that an error of the daemon stands for.
func problemOf(err error) *Problem {
	var p *Problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, ErrNotFound):
		return newProblem(http.StatusNotFound, err.Error())
	case errors.Is(err, ErrInUse), errors.Is(err, ErrNoPlace), errors.Is(err, ErrNothingToKeep), errors.Is(err, ErrLacksSecrets):
		return newProblem(http.StatusConflict, err.Error())
	case errors.Is(err, ErrUnfit):
		return newProblem(http.StatusBadRequest, err.Error())
	case errors.Is(err, ErrStopping):
		return newProblem(http.StatusServiceUnavailable, err.Error())
	}
	return newProblem(http.StatusInternalServerError, err.Error())
}

func newProblem(status int, detail string) *Problem {
	return &Problem{Status: status, Title: http.StatusText(status), Detail: detail}
}

func (p *Problem) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}
