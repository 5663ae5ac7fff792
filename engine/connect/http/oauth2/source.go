package oauth2

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/syncd/syncd/engine/component"
)

const (
	// timeout is how long a token endpoint may take.
	timeout = 30 * time.Second
	// After a failure the endpoint is left alone, longer each time.
	firstPause, longestPause = time.Second, time.Minute
	// stubborn is how long a token that was renewed because of a 401, and is refused
	// as well, is not renewed again.
	stubborn = time.Minute
)

// Options are what a Source lives in.
type Options struct {
	Config    *Config
	Transport http.RoundTripper
	Store     component.Store // for refresh tokens; may be nil where none is used
	// Pause reads from the head of an answer when to come again, 0 if it does not say.
	Pause func(http.Header) time.Duration
	// Learned is called with every secret that an answer brings, before it is used.
	Learned func(secret string)
}

// Source hands out one access token to all who ask, and renews it.
type Source struct {
	o        Options
	endpoint endpoint
	keeper   *keeper // nil: no refresh tokens

	life context.Context
	end  context.CancelFunc
	work sync.WaitGroup

	mu       sync.Mutex
	current  *Token
	running  *renewal
	failed   error // of the last renewal
	failures int
	again    time.Time // not before
}

// renewal is one on its way.
type renewal struct {
	done  chan struct{}
	token *Token
	err   error
}

// New makes a Source. Nothing is asked before the first Token.
func New(o Options) *Source {
	s := &Source{o: o, endpoint: endpoint{cfg: o.Config, transport: o.Transport, pause: o.Pause}}
	s.life, s.end = context.WithCancel(context.Background())
	if o.Config.Grant == refreshToken {
		s.keeper = &keeper{cfg: o.Config, store: o.Store}
	}
	return s
}

// Token gives the current token, or a new one where there is none, it is about to
// expire, or it is the refused one. Who was refused with a token that itself came after
// a refusal, a moment ago, gets the same again: another would fare no better.
//
// Errors are those of the token endpoint, with what it said, which is to be scrubbed;
// component.Wait tells when it will be asked again. If ctx ends first, its error.
func (s *Source) Token(ctx context.Context, refused *Token) (*Token, error) {
	s.mu.Lock()
	now := time.Now()
	if t := s.current; t != nil && t.fresh(now) && (t != refused || t.hopeless(now)) {
		s.mu.Unlock()
		return t, nil
	}
	if wait := s.again.Sub(now); wait > 0 && s.running == nil {
		err := component.RetryAfter(fmt.Errorf("%w; it is asked again in %s", s.failed, wait.Round(time.Second)), wait)
		s.mu.Unlock()
		return nil, err
	}
	r := s.running
	if r == nil {
		r = &renewal{done: make(chan struct{})}
		s.running = r
		forced := refused != nil && refused == s.current
		s.work.Go(func() { s.renew(r, forced) })
	}
	s.mu.Unlock()
	select {
	case <-r.done:
		return r.token, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (t *Token) hopeless(now time.Time) bool {
	return !t.taken.Load() && !t.forced.IsZero() && now.Sub(t.forced) < stubborn
}

// renew belongs to nobody who waits: one who gives up does not hurt the others.
func (s *Source) renew(r *renewal, forced bool) {
	ctx, cancel := context.WithTimeout(s.life, timeout)
	defer cancel()
	token, err := s.ask(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	defer close(r.done)
	s.running = nil
	if err != nil {
		s.failures++
		s.failed = fmt.Errorf("get a token from %s: %w", s.o.Config.TokenURL, err)
		wait := max(min(firstPause<<min(s.failures-1, 10), longestPause), component.Wait(err))
		s.again = time.Now().Add(wait)
		r.err = component.RetryAfter(s.failed, wait)
		return
	}
	if forced {
		token.forced = time.Now()
	}
	s.current, r.token = token, token
	s.failures, s.failed, s.again = 0, nil, time.Time{}
}

func (s *Source) ask(ctx context.Context) (*Token, error) {
	if s.keeper != nil {
		return s.refresh(ctx)
	}
	a, err := s.endpoint.ask(ctx, "")
	if err != nil {
		return nil, told(ctx, err)
	}
	s.o.Learned(a.token.Value)
	return a.token, nil
}

// refresh uses a refresh token. One that replaces it is on disk before its access token
// is used: what was not stored is stored by the next call, which asks for nothing then.
func (s *Source) refresh(ctx context.Context) (*Token, error) {
	unlock, err := s.keeper.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	a := s.keeper.unsaved
	if a == nil {
		current, err := s.keeper.load(ctx)
		if err != nil {
			return nil, err
		}
		s.o.Learned(current)
		if a, err = s.endpoint.ask(ctx, current); err != nil {
			return nil, told(ctx, err)
		}
		s.o.Learned(a.token.Value)
		if a.refresh == "" || a.refresh == current {
			return a.token, nil
		}
		s.o.Learned(a.refresh)
		s.keeper.unsaved = a
	}
	if err := s.keeper.save(ctx); err != nil {
		return nil, err
	}
	return a.token, nil
}

// told puts into words that a token endpoint hangs.
func told(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %s", timeout)
	}
	return err
}

// Close gives up a renewal that is under way, and waits for its end.
func (s *Source) Close() {
	s.end()
	s.work.Wait()
}
