package listen

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// Problem is an error as a client gets it: RFC 9457, application/problem+json.
// Its type is always about:blank, so that the title is the status's own phrase.
type Problem struct {
	Status     int
	Detail     string        // what was wrong and what to do, for people
	At         *Position     // where in the body
	RetryAfter time.Duration // for 429 and 503: rounded up to whole seconds; 0: no header
}

// Position is a place in a body; Line and Column count from 1, columns in characters.
type Position struct {
	Offset int `json:"offset"`
	Line   int `json:"line"`
	Column int `json:"column"`
}

type problemJSON struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	*Position
}

// Write sends the problem as the whole answer.
func (p Problem) Write(w http.ResponseWriter) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	// Strings and numbers: encoding them cannot fail.
	_ = enc.Encode(problemJSON{"about:blank", http.StatusText(p.Status), p.Status, p.Detail, p.At})
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(buf.Len()))
	if p.RetryAfter > 0 {
		seconds := (p.RetryAfter + time.Second - 1) / time.Second
		h.Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(buf.Bytes()) // a client that has gone needs no answer
}
