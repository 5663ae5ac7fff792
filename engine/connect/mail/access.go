package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"time"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/http"
	"github.com/syncd/syncd/engine/connect/http/oauth2"
	"github.com/syncd/syncd/engine/connect/scrub"
)

// access is what it takes to be let in by a server, whatever is spoken then.
type access struct {
	tls    *tls.Config
	tokens *oauth2.Source // nil: a password, or nobody logs in
	scrub  scrub.Scrubber
}

func (s *Server) access(env component.Env) (access, error) {
	t, err := s.tlsConfig()
	if err != nil {
		return access{}, err
	}
	a := access{tls: t}
	learned := &scrub.Learned{}
	secrets := []string{s.Password.Reveal()}
	if o := s.Auth.OAuth2; o != nil {
		secrets = append(secrets, o.Secrets()...)
		a.tokens = oauth2.New(oauth2.Options{
			Config: o, Transport: http.DefaultTransport, Store: env.Store, Learned: learned.Add,
			Pause: func(h http.Header) time.Duration { return conn.Pause(h, time.Now()) },
		})
	}
	a.scrub = scrub.New(secrets, learned)
	return a, nil
}

// letIn has try log in with the password or a token; a token that is refused is
// renewed once.
func (a *access) letIn(ctx context.Context, password component.Secret, try func(secret string) (refused bool, err error)) error {
	if a.tokens == nil {
		_, err := try(password.Reveal())
		return err
	}
	t, err := a.tokens.Token(ctx, nil)
	if err != nil {
		return &loginError{err}
	}
	refused, err := try(t.Value)
	if refused {
		renewed, tokenErr := a.tokens.Token(ctx, t)
		if tokenErr != nil || renewed == t {
			return errors.Join(err, tokenErr)
		}
		t = renewed
		_, err = try(t.Value)
	}
	if err == nil {
		t.Taken()
	}
	return err
}

func (a *access) close() {
	if a.tokens != nil {
		a.tokens.Close()
	}
}
