package email

import (
	"strings"
	"testing"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/mail/mailtest"
	"github.com/syncd/syncd/engine/expr"
)

// digested is a sink with batches, of a subject that needs all of them.
func digested(t *testing.T, server *mailtest.Server) *sink {
	cfg := basic(t)
	cfg.Batch = &component.Batching{}
	cfg.Subject = template(t, "{{ len(body) }} orders", expr.Header)
	cfg.Text = template(t, "{{ join(map(body, .name), ', ') }}", expr.Text)
	cfg.Headers = map[string]expr.Template{"X-Shop": template(t, "{{ body.shop ?? '' }}", expr.Header)}
	return opened(t, server, cfg, nil)
}

func TestDigest(t *testing.T) {
	server := mailtest.Start(t, mailtest.Options{})
	s := digested(t, server)
	var ds []component.Delivery
	for _, name := range []string{"Ana", "Luis", "Eva"} {
		ds = append(ds, component.Delivery{ID: "d-" + name, Batch: "the-batch", Attempt: 1, Event: &component.Event{
			ID: name, Time: at, Body: map[string]any{"name": name, "email": "ops@example.com"}}})
	}
	for range 2 { // the second is a repetition
		if r := s.Deliver(t.Context(), ds); r.Batch != nil || r.Errors != nil {
			t.Fatalf("%+v", r)
		}
	}
	mails := server.Mails()
	if len(mails) != 2 {
		t.Fatalf("%d mails", len(mails))
	}
	for _, m := range mails {
		for _, part := range []string{"Subject: 3 orders", "Ana, Luis, Eva", "Message-ID: <the-batch@example.com>", "Date: Sat, 14 Mar 2026 09:26:53 +0000"} {
			if !strings.Contains(m.Data, part) {
				t.Errorf("no %q in\n%s", part, m.Data)
			}
		}
	}
}

// What differs in its addresses or headers is not in one mail.
func TestDigestGroups(t *testing.T) {
	s := digested(t, mailtest.Start(t, mailtest.Options{}))
	group := func(email, shop string) string {
		g, err := s.Group(&component.Event{Body: map[string]any{"email": email, "shop": shop, "name": email + shop}})
		if err != nil {
			return "error"
		}
		return g
	}
	base := group("a@example.com", "x")
	if group("a@example.com", "x") != base {
		t.Error("equal ones are apart")
	}
	if group("b@example.com", "x") == base || group("a@example.com", "y") == base {
		t.Error("different ones are together")
	}
	if got := group("a@example.com, b@example.com", "x"); got != "error" {
		t.Errorf("two addresses in one: %q", got)
	}
}

func TestDigestHasNoMeta(t *testing.T) {
	cfg := basic(t)
	cfg.Batch = &component.Batching{}
	cfg.Text = template(t, "{{ meta.path }}", expr.Text)
	var p component.Problems
	cfg.Validate(&p)
	if len(p.List) != 1 || p.List[0].Attr != "text" {
		t.Errorf("got %+v", p.List)
	}
}
