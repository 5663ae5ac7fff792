package http

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/http"
	"github.com/syncd/syncd/engine/expr"
)

var _ component.Batcher = (*sink)(nil)

// Batching implements component.Batcher.
func (s *sink) Batching() *component.Batching { return s.cfg.Batch }

// Group names where a delivery goes: those of equal path, query and headers share a
// request.
func (s *sink) Group(e *component.Event) (string, error) {
	in := e.Input()
	var r conn.Request
	h := map[string][]string{}
	if err := s.place(&r, h, in); err != nil {
		return "", err
	}
	group := []string{r.Path, r.Query, r.Host}
	for _, p := range s.varying { // in the order of their names
		group = append(group, h[p.name]...)
	}
	return strings.Join(group, "\x00"), nil
}

// deliverBatch sends all in one request, under the batch's own key.
func (s *sink) deliverBatch(ctx context.Context, ds []component.Delivery) component.Result {
	r, err := s.batchRequest(ds)
	if err != nil { // of one of them, which is found by halving
		return component.Result{Batch: component.Permanent(err)}
	}
	resp, err := s.client.DoNow(ctx, r, s.limit)
	if err != nil {
		return component.Result{Batch: err}
	}
	if err := s.judge(resp, &expr.Input{}); err != nil {
		return component.Result{Batch: err}
	}
	if s.cfg.Results == nil {
		return component.Result{}
	}
	errs, err := s.results(ctx, resp, ds)
	return component.Result{Errors: errs, Batch: err}
}

func (s *sink) batchRequest(ds []component.Delivery) (*conn.Request, error) {
	r := &conn.Request{Method: s.cfg.Method, Host: s.host, Header: s.header.Clone()}
	r.Header[keyHeader] = []string{ds[0].Batch}
	if err := s.place(r, r.Header, ds[0].Event.Input()); err != nil {
		return nil, err
	}
	list := make([]any, len(ds))
	for i := range ds {
		var err error
		if list[i], err = s.valueOf(ds[i].Event.Input()); err != nil {
			return nil, err
		}
	}
	var err error
	if r.Body, err = s.encode(s.listed(list)); err != nil {
		return nil, err
	}
	s.sign(r.Header, ds[0].Batch, r.Body)
	return r, nil
}

// listed is what is encoded. In NDJSON a body that is a list is several lines: an
// action and a document, as bulk interfaces want it.
func (s *sink) listed(bodies []any) []any {
	isList := func(v any) bool { _, ok := v.([]any); return ok }
	if s.cfg.Encode != "ndjson" || !slices.ContainsFunc(bodies, isList) {
		return bodies
	}
	var lines []any
	for _, b := range bodies {
		if list, ok := b.([]any); ok {
			lines = append(lines, list...)
		} else {
			lines = append(lines, b)
		}
	}
	return lines
}

// results reads what the answer says of each delivery. The error is about the answer as
// a whole, and not final: what it says of whom is not known.
func (s *sink) results(ctx context.Context, resp *conn.Response, ds []component.Delivery) ([]error, error) {
	seen := resp.Seen()
	list, err := s.cfg.Results.Each.List(&expr.Input{Response: seen})
	if err != nil {
		return nil, s.later(resp, s.failure(resp, fmt.Errorf("results.each: %w", err)))
	}
	if !s.cfg.Results.Match.IsSet() && len(list) != len(ds) {
		return nil, s.later(resp, s.failure(resp, fmt.Errorf("%d results for %d deliveries: say by results.match which is whose", len(list), len(ds))))
	}
	m := matcher{match: s.cfg.Results.Match, list: list, taken: make([]bool, len(list))}
	errs := make([]error, len(ds))
	for i := range ds {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		in := ds[i].Event.Input()
		in.Response = seen
		found, err := m.find(in, i)
		if err != nil {
			errs[i] = component.Permanent(fmt.Errorf("results.match: %w", err))
			continue
		}
		errs[i] = s.judgeOne(resp, in, found)
	}
	return errs, nil
}

// matcher finds the result of each delivery. Most servers keep the order.
type matcher struct {
	match expr.Expr // not set: by the order
	list  []any
	taken []bool
	next  int // behind the last that was found
}

// find sets in.Record to the result of delivery i; false: it has none.
func (m *matcher) find(in *expr.Input, i int) (bool, error) {
	if !m.match.IsSet() {
		in.Record = m.list[i]
		return true, nil
	}
	for n := range m.list {
		at := (m.next + n) % len(m.list)
		if m.taken[at] {
			continue
		}
		in.Record = m.list[at]
		switch ok, err := m.match.Bool(in); {
		case err != nil:
			return false, err
		case ok:
			m.taken[at], m.next = true, at+1
			return true, nil
		}
	}
	in.Record = nil
	return false, nil
}

// errNoResult is a delivery that the answer does not mention.
var errNoResult = errors.New("the answer has no result for it")

// judgeOne says what became of one delivery; nil: it is delivered.
func (s *sink) judgeOne(resp *conn.Response, in *expr.Input, found bool) error {
	ok, err := s.cfg.Results.OK.Bool(in)
	switch {
	case ok:
		return nil
	case !found:
		return s.later(resp, fmt.Errorf("%s answered %d: %w", s.cfg.Method, resp.Status, errNoResult))
	}
	failed := s.told(resp, in.Record, "results.ok", err)
	if !s.cfg.Results.Retry.IsSet() {
		return component.Permanent(failed)
	}
	switch again, err := s.cfg.Results.Retry.Bool(in); {
	case err != nil:
		return component.Permanent(fmt.Errorf("%w; results.retry: %w", failed, err))
	case again:
		return s.later(resp, failed)
	}
	return component.Permanent(failed)
}
