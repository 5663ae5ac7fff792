package http

import (
	"encoding/base64"
	nethttp "net/http"
	"net/url"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/http/oauth2"
	"github.com/syncd/syncd/engine/connect/scrub"
)

// authenticate adds what auth sends to every request, and to what is scrubbed.
func (c *Client) authenticate(env component.Env, a Auth) {
	switch {
	case a.Basic != nil:
		pair := base64.StdEncoding.EncodeToString([]byte(a.Basic.User + ":" + a.Basic.Password.Reveal()))
		c.header.Set("Authorization", "Basic "+pair)
		c.secrets = append(c.secrets, pair, a.Basic.Password.Reveal())
	case a.Bearer != nil:
		c.header.Set("Authorization", "Bearer "+a.Bearer.Token.Reveal())
		c.secrets = append(c.secrets, a.Bearer.Token.Reveal())
	case a.APIKey != nil && a.APIKey.Header != "":
		c.header.Set(a.APIKey.Header, a.APIKey.Value.Reveal())
		c.secrets = append(c.secrets, a.APIKey.Value.Reveal())
	case a.OAuth2 != nil:
		c.secrets = append(c.secrets, a.OAuth2.Secrets()...)
		c.learned = &scrub.Learned{}
		c.tokens = oauth2.New(oauth2.Options{
			Config: a.OAuth2, Transport: c.transport, Store: env.Store, Learned: c.learned.Add,
			Pause: func(h nethttp.Header) time.Duration { return Pause(h, time.Now()) },
		})
	case a.APIKey != nil:
		c.queryKey = a.APIKey.Value.Reveal()
		c.query = joinQuery(c.query, url.QueryEscape(a.APIKey.Query)+"="+url.QueryEscape(a.APIKey.Value.Reveal()))
		c.secrets = append(c.secrets, a.APIKey.Value.Reveal())
	}
}
