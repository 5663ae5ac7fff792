package poll

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/http"
)

// Preview implements component.Previewer.
func (s *source) Preview(ctx context.Context, n int) (*component.Preview, error) {
	r := &run{source: s, cursor: value{s.cfg.initial()}}
	if err := r.begin(); err != nil {
		return nil, err
	}
	p := &component.Preview{}
	req, err := s.asker.request(&r.progress)
	if err != nil {
		return nil, err
	}
	p.Request = s.asker.show(req)
	stream, err := s.client.Stream(ctx, req, int64(s.cfg.MaxBody))
	if err != nil {
		return p, err
	}
	defer stream.Body.Close()
	p.Status = stream.Status
	if stream.Status < 200 || stream.Status > 299 {
		return p, r.refusal(stream)
	}
	if err := r.preview(ctx, stream, p, n); err != nil {
		return p, r.answered(stream, err)
	}
	return p, nil
}

// preview reads the page as a run would, and keeps the first n records.
func (r *run) preview(ctx context.Context, stream *conn.Stream, p *component.Preview, n int) error {
	a, err := r.shape.read(stream, r.judged)
	if err != nil {
		return err
	}
	e := newExtract(r, a)
	for {
		err := e.one(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		d := &e.piece.drafts[0]
		if len(p.Records) < n {
			v, err := decoded(d)
			if err != nil { // a record that cannot be read
				v = string(d.Raw)
			}
			p.Records = append(p.Records, v)
		}
		e.piece = piece{}
	}
	p.Count = a.count
	return r.outlook(e, p)
}

// outlook tells what would follow the page.
func (r *run) outlook(e *extract, p *component.Preview) error {
	if c := r.cfg.Cursor; c != nil && c.From == "response" {
		if err := r.handedOut(e); err != nil {
			return err
		}
	}
	p.Cursor = r.progress.Next.v
	next, err := r.next(e.answer)
	if err != nil || next == nil {
		return err
	}
	following := r.progress
	following.Page, following.At = 2, value{next}
	req, err := r.asker.request(&following)
	if err != nil {
		return err
	}
	p.Next = r.asker.show(req)
	return nil
}

// show writes a request as it goes out, but for what must not show.
func (a *asker) show(r *conn.Request) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", r.Method, a.url(r))
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, value := range r.Header[name] {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	if len(r.Body) > 0 {
		fmt.Fprintf(&b, "\n%s\n", r.Body)
	}
	return a.scrub.Scrub(b.String())
}
