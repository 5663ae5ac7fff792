package email

import (
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/mail"
	"github.com/syncd/syncd/engine/connect/mail/mailtest"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/sinks/sinktest"
)

var numbered = regexp.MustCompile(`(?m)^Subject: Order ([\d ]+)\r?$`)

func TestConformance(t *testing.T) { conformance(t, "Order {{ body.n }}", nil) }

func TestConformanceBatches(t *testing.T) {
	b := &component.Batching{}
	b.SetDefaults()
	b.Max = 9
	conformance(t, "Order {{ join(map(body, string(.n)), ' ') }}", b)
}

func conformance(t *testing.T, subject string, batch *component.Batching) {
	sinktest.Run(t, func(t *testing.T) sinktest.Subject {
		var away atomic.Bool
		server := mailtest.Start(t, mailtest.Options{Answer: func(step string) error {
			switch {
			case away.Load():
				return mailtest.Refuse(451, "later")
			case strings.Contains(step, "nobody@"):
				return mailtest.Refuse(550, "no such user")
			}
			return nil
		}})
		return sinktest.Subject{
			Bad: map[string]any{"n": int64(0), "email": "nobody@example.com"},
			Open: func(t *testing.T, env component.Env) component.Sink {
				c := conn.SMTP.NewConfig().(*conn.RelayConfig)
				c.Host, c.Port, c.TLS = "127.0.0.1", server.Port, "none"
				relay, err := conn.SMTP.Open(env, c)
				if err != nil {
					t.Fatal(err)
				}
				env.Connection = func(component.Ref) (any, error) { return relay, nil }
				cfg := basic(t)
				cfg.To = templates(t, "{{ body.email ?? 'ana@example.com' }}")
				cfg.Subject = template(t, subject, expr.Header)
				cfg.Batch = batch
				cfg.Text = template(t, "Hello", expr.Text)
				s, err := Kind.Open(env, cfg)
				if err != nil {
					t.Fatal(err)
				}
				return closing{s.(*sink), relay.(*conn.Relay)}
			},
			Stored: func(t *testing.T) (all []int) {
				for _, m := range server.Mails() {
					found := numbered.FindStringSubmatch(m.Data)
					if found == nil {
						t.Fatalf("no number in\n%s", m.Data)
					}
					for number := range strings.FieldsSeq(found[1]) {
						n, _ := strconv.Atoi(number)
						all = append(all, n)
					}
				}
				return all
			},
			Away: func(*testing.T) func() {
				away.Store(true)
				return func() { away.Store(false) }
			},
		}
	})
}

// closing ends the connection with the sink.
type closing struct {
	*sink
	relay *conn.Relay
}

func (c closing) Close() error { return c.relay.Close() }
