package listen

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/syncd/syncd/engine/component"
)

// table is one set of routes; it never changes.
type table struct{ mux *http.ServeMux }

func newTable(routes []component.Route) (*table, error) {
	t := &table{mux: http.NewServeMux()}
	var known []string
	for _, r := range routes {
		for _, pattern := range Patterns(r) {
			if err := register(t.mux, pattern, entry{r}); err != nil {
				return nil, conflict(known, pattern, err)
			}
			known = append(known, pattern)
		}
	}
	return t, nil
}

// Patterns are the route's patterns as net/http's ServeMux takes them, one for each method.
func Patterns(r component.Route) []string {
	if len(r.Methods) == 0 {
		return []string{r.Path}
	}
	patterns := make([]string, len(r.Methods))
	for i, m := range r.Methods {
		patterns[i] = m + " " + r.Path
	}
	return patterns
}

// CheckPattern tells what is wrong with a pattern.
func CheckPattern(pattern string) error {
	return register(http.NewServeMux(), pattern, http.NotFoundHandler())
}

// register turns ServeMux's panics into errors.
func register(mux *http.ServeMux, pattern string, h http.Handler) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	mux.Handle(pattern, h)
	return nil
}

// conflict finds the pattern that stands in the way of another: the mux's own
// message names lines of our source instead.
func conflict(known []string, pattern string, err error) error {
	for _, k := range known {
		mux := http.NewServeMux()
		mux.Handle(k, http.NotFoundHandler())
		if register(mux, pattern, http.NotFoundHandler()) != nil {
			return fmt.Errorf("%q and %q match the same requests: change one of the paths", k, pattern)
		}
	}
	return err
}

// entry is a route as the mux holds it. It takes the plain writer back out of
// the one that catches the mux's own answers.
type entry struct{ component.Route }

func (e entry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	own := w.(*muxAnswer)
	// The mux lets GET's pattern take HEAD as well; a source takes what it names.
	if r.Method == http.MethodHead && len(e.Methods) > 0 && !slices.Contains(e.Methods, r.Method) {
		w.Header().Set("Allow", strings.Join(e.Methods, ", "))
		own.status = http.StatusMethodNotAllowed
		return
	}
	e.Handler.ServeHTTP(own.ResponseWriter, r)
}

// muxAnswer keeps what the mux itself answers (not found, method not allowed, a
// redirect to the clean path) from being written as text.
type muxAnswer struct {
	http.ResponseWriter
	status int
}

func (a *muxAnswer) WriteHeader(status int)      { a.status = status }
func (a *muxAnswer) Write(b []byte) (int, error) { return len(b), nil }

var muxAnswers = sync.Pool{New: func() any { return new(muxAnswer) }}

// ServeHTTP hands the request to its route. A panic there is logged and becomes
// a 500; the daemon lives on.
func (l *Listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer l.survive(w, r)
	if c := peer(r); c != nil {
		if c.begin(); c.terms != l.settings.Load().terms() {
			l.turnAway(w, r)
			return
		}
	}
	a := muxAnswers.Get().(*muxAnswer)
	a.ResponseWriter, a.status = w, 0
	l.table.Load().mux.ServeHTTP(a, r)
	status := a.status
	a.ResponseWriter = nil
	muxAnswers.Put(a)
	if status != 0 {
		l.refuse(w, r, status)
	}
}

func (l *Listener) survive(w http.ResponseWriter, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler {
		panic(p) // net/http's way to cut the connection, no fault
	}
	l.settings.Load().log.Error("request handler panicked", "method", r.Method, "pattern", r.Pattern, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	Hangup(w, r)
	Problem{Status: http.StatusInternalServerError, Detail: "an internal fault; it is in the log"}.Write(w)
}

// refuse answers in the mux's place.
func (l *Listener) refuse(w http.ResponseWriter, r *http.Request, status int) {
	l.settings.Load().refused(1)
	Hangup(w, r)
	h := w.Header()
	h.Del("X-Content-Type-Options")
	if status < 400 {
		h.Del("Content-Type")
		w.WriteHeader(status)
		return
	}
	Problem{Status: status, Detail: details(status, h)}.Write(w)
}

func details(status int, h http.Header) string {
	switch status {
	case http.StatusNotFound:
		return "no source listens at this path"
	case http.StatusMethodNotAllowed:
		return "this path takes " + h.Get("Allow")
	}
	return ""
}
