package poll

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/http"
	"github.com/syncd/syncd/engine/schedule"
)

// run is one attempt at a run.
type run struct {
	*source
	progress
	cursor   value // of the last run that was complete
	advanced bool  // there was one
	epoch    int64
	stored   bool // progress is on disk
	first    bool // no page has been asked for
	remember bool // the server lets its pages be asked for conditionally

	commit *committer
	due    schedule.Due
	room   []byte // for the text of records
	usual  int    // drafts of a piece
}

// attempt goes on with a run, from its place on disk. moved: it has got somewhere.
func (s *source) attempt(ctx context.Context, in component.Intake, due schedule.Due) (moved bool, err error) {
	if s.held { // before anything is asked for, the intake must be able to take it
		if _, err := in.Accept(ctx, component.Batch{}); err != nil {
			return false, err
		}
		s.held = false
	}
	r, err := s.load(ctx, in)
	if err != nil {
		return false, err
	}
	r.due, r.first = due, true
	reading, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r.commit = newCommitter(ctx, in, stop)
	err = r.pages(reading)
	if failed := r.commit.close(); failed != nil {
		s.held = isLater(failed)
		err = failed
	}
	if err == nil || ctx.Err() != nil {
		return true, err
	}
	return r.failed(ctx, in, err)
}

// pages reads page after page, and ends the run with the last.
func (r *run) pages(ctx context.Context) error {
	for {
		more, err := r.page(ctx)
		if err == errChanged {
			continue // from its beginning
		}
		if err != nil {
			return err
		}
		r.refused = 0
		if !more {
			r.log.Debug("run complete", "pages", r.progress.Page, "records", r.progress.Total)
			return nil
		}
	}
}

// errChanged is a page that is not what it was when a part of it was taken in.
var errChanged = errors.New("the page has changed")

// page reads one page and hands over what it holds; more: another follows.
func (r *run) page(ctx context.Context) (more bool, err error) {
	p := &r.progress
	r.tell("page %d of a run, %d records so far", p.Page, p.Total)
	r.seen.visit(p)
	req, err := r.asker.request(p)
	if err != nil {
		return false, component.Permanent(err)
	}
	before, key, err := r.recall(ctx, req)
	if err != nil {
		return false, err
	}
	stream, err := r.client.Stream(ctx, req, int64(r.cfg.MaxBody))
	r.first = false
	if err != nil {
		return false, r.at(err)
	}
	defer stream.Body.Close()
	if stream.Status == 304 && before != nil {
		return r.unchanged(ctx, before, key)
	}
	if stream.Status < 200 || stream.Status > 299 {
		return false, r.refusal(stream)
	}
	a, err := r.shape.read(stream, r.judged)
	if err != nil {
		return false, r.answered(stream, err)
	}
	e := newExtract(r, a)
	if err := e.records(ctx); err != nil {
		if errors.Is(err, errChanged) {
			return false, errChanged
		}
		return false, r.answered(stream, err)
	}
	r.usual = len(e.piece.drafts)
	if more, err = r.turn(ctx, e, before, key); err != nil || !more {
		return false, err
	}
	return true, r.rest(ctx, stream)
}

// rest waits before the next page if the server says that it has had enough.
func (r *run) rest(ctx context.Context, stream *conn.Stream) error {
	wait := conn.Pause(stream.Header, r.now())
	if wait == 0 {
		return nil
	}
	r.tell("page %d of a run waits for %s, as the server wants it", r.progress.Page, wait)
	stream.Body.Close()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(wait):
		return nil
	}
}

// at adds to err which page it is about.
func (r *run) at(err error) error {
	return located{fmt.Sprintf("page %d: %v", r.progress.Page, err), err}
}

// located is an error that says where it happened.
type located struct {
	text  string
	cause error
}

func (e located) Error() string { return e.text }
func (e located) Unwrap() error { return e.cause }
