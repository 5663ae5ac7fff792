package poll

import (
	"context"
	"fmt"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

// turn ends a page that has been read: what is left of it goes with the place of the
// next one, or with the end of the run.
func (r *run) turn(ctx context.Context, e *extract, before *known, key string) (more bool, err error) {
	if c := r.cfg.Cursor; c != nil && c.From == "response" {
		if err := r.handedOut(e); err != nil {
			return false, r.answered(e.answer.stream, err)
		}
	}
	next, err := r.next(e.answer)
	if err != nil {
		return false, r.answered(e.answer.stream, err)
	}
	p := &r.progress
	sum := ""
	if e.answer.count > 0 {
		sum = e.sum()
		if n := r.seen.page(p, sum); n > 0 || sum == p.Last {
			if n == 0 {
				n = p.Page - 1
			}
			return false, r.at(fmt.Errorf("it has the same records as page %d, %d in all: the server begins again, or stands still", n, e.answer.count))
		}
	}
	piece := e.piece
	if n := r.seen.place(p, next); next != nil && n > 0 {
		p.Record, p.Digest = e.answer.count, sum
		piece.state = append(piece.state, component.Put{Key: keyRun, Value: *p})
		if err := r.hand(ctx, piece); err != nil {
			return false, err
		}
		return false, r.inCircles(n)
	}
	k := r.knownAs(e, next)
	if k != nil || before != nil {
		put := component.Put{Key: keyPage + key}
		if k != nil {
			put.Value, put.Expires = k, k.Time.Add(r.knownFor())
		}
		piece.state = append(piece.state, put)
	}
	return next != nil, r.move(ctx, piece, next, sum)
}

func (r *run) inCircles(n int) error {
	return r.at(fmt.Errorf("the next page, by what it says, is page %d again", n))
}

// move hands over p with the place of the next page, or with the end of the run.
func (r *run) move(ctx context.Context, p piece, next any, sum string) error {
	g := &r.progress
	if next == nil {
		return r.finish(ctx, p)
	}
	g.Page, g.At, g.Record, g.Digest, g.Last = g.Page+1, value{next}, 0, "", sum
	if len(p.drafts) == 0 && len(p.state) == 0 {
		return nil // nothing would be lost if the run began anew
	}
	p.state = append(p.state, component.Put{Key: keyRun, Value: *g})
	p.turns, r.stored = true, true
	return r.hand(ctx, p)
}

// finish ends the run: the cursor is taken with its last records.
func (r *run) finish(ctx context.Context, p piece) error {
	if next := r.progress.Next; next.v != nil && !r.behind(next.v) && (!r.advanced || show(next.v) != show(r.cursor.v)) {
		p.state = append(p.state, component.Put{Key: keyCursor, Value: next})
	}
	if r.stored {
		p.state = append(p.state, component.Put{Key: keyRun})
	}
	p.state = append(p.state, r.due.Done()...)
	if len(p.drafts) == 0 && len(p.state) == 0 {
		return nil
	}
	return r.hand(ctx, p)
}

// behind tells whether the largest cursor of a run lies before the one there is: only
// what overlaps was found.
func (r *run) behind(next any) bool {
	if c := r.cfg.Cursor; c.From != "record" || c.Keep != "max" || r.cursor.v == nil {
		return false
	}
	kept, err := r.cfg.Cursor.fold(r.cursor.v, next, nil)
	return err == nil && show(kept) == show(r.cursor.v)
}

// handedOut takes the cursor that an answer hands out for next time.
func (r *run) handedOut(e *extract) error {
	c := r.cfg.Cursor
	v, err := token(c.Next, &expr.Input{Response: e.answer.response()})
	if err != nil {
		return fmt.Errorf("cursor.%w", err)
	}
	if v != nil && c.As == "url" {
		if v, err = r.resolve(e.answer, scalar(v)); err != nil {
			return fmt.Errorf("cursor.next: %w", err)
		}
	}
	if v != nil {
		e.cursor, r.progress.Next = v, value{v}
	}
	return nil
}

func (r *run) hand(ctx context.Context, p piece) error {
	if !r.commit.put(ctx, p) {
		return context.Cause(ctx)
	}
	return nil
}
