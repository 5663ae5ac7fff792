package http

import (
	"encoding/base64"
	"net/url"
)

// authenticate adds what auth sends to every request, and to what is scrubbed.
func (c *Client) authenticate(a Auth) {
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
	case a.APIKey != nil:
		c.query = joinQuery(c.query, url.QueryEscape(a.APIKey.Query)+"="+url.QueryEscape(a.APIKey.Value.Reveal()))
		c.secrets = append(c.secrets, a.APIKey.Value.Reveal())
	}
}
