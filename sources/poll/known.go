package poll

import (
	"context"
	"fmt"
	nethttp "net/http"
	"time"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/http"
)

// recall makes req conditional if the page it asks for is known, and gives what is
// known of it. Where the first page of a run is not, the others are not looked for:
// their requests hang on it.
func (r *run) recall(ctx context.Context, req *conn.Request) (*known, string, error) {
	if req.Method != nethttp.MethodGet || r.progress.Record > 0 {
		return nil, r.digest(req), nil
	}
	key := r.digest(req)
	if !r.first && !r.remember {
		return nil, key, nil
	}
	var k known
	found, err := r.commit.in.Get(ctx, keyPage+key, &k)
	if err != nil {
		return nil, key, fmt.Errorf("read what is known of the page: %w", err)
	}
	if r.remember = found; !found {
		return nil, key, nil
	}
	if k.ETag != "" {
		req.Header.Set("If-None-Match", k.ETag)
	}
	if k.Modified != "" {
		req.Header.Set("If-Modified-Since", k.Modified)
	}
	return &k, key, nil
}

// digest tells apart what is known of pages.
func (r *run) digest(req *conn.Request) string {
	return r.asker.digest(req, r.epoch, r.cfg.takes(), r.cfg.Paginate.follows())
}

// knownAs is what to remember of a page that has been taken in; nil: nothing, since
// its server offers nothing to ask with, or only a part of it has been looked at.
func (r *run) knownAs(e *extract, next any) *known {
	h := e.answer.stream.Header
	k := &known{ETag: h.Get("ETag"), Modified: h.Get("Last-Modified"), At: value{next}, More: next != nil, Cursor: value{e.cursor}, Time: r.now()}
	if r.cfg.Request.Method != nethttp.MethodGet || k.ETag == "" && k.Modified == "" || e.skip > 0 {
		return nil
	}
	return k
}

// knownFor is how long a page is remembered. Its records must be seen again before
// their ids are forgotten: they would be new when one of them changes.
func (s *source) knownFor() time.Duration {
	if s.ids > 0 {
		return min(knownFor, s.ids/2)
	}
	return knownFor
}

// unchanged goes on behind a page that is as it was.
func (r *run) unchanged(ctx context.Context, k *known, key string) (more bool, err error) {
	var p piece
	if r.ids == 0 && r.now().Sub(k.Time) > knownFor/2 {
		k.Time = r.now()
		p.state = []component.Put{{Key: keyPage + key, Value: k, Expires: k.Time.Add(knownFor)}}
	}
	if k.Cursor.v != nil {
		next := &r.progress.Next.v
		if c := r.cfg.Cursor; c != nil && c.From == "record" {
			if *next, err = c.fold(*next, k.Cursor.v, nil); err != nil {
				return false, r.at(err)
			}
		} else {
			*next = k.Cursor.v
		}
	}
	if !k.More {
		return false, r.move(ctx, p, nil, "")
	}
	if n := r.seen.place(&r.progress, k.At.v); n > 0 {
		return false, r.inCircles(n)
	}
	return true, r.move(ctx, p, k.At.v, "")
}
