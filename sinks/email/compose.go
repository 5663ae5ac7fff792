package email

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"maps"
	netmail "net/mail"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wneessen/go-mail"
	"golang.org/x/net/idna"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/format"
)

// compose makes the mail of a delivery or batch. Its errors are the events'. Message-ID
// and Date are the same for each attempt, so that a mailbox can tell a repetition.
func (s *sink) compose(id string, ds []component.Delivery) (*mail.Msg, error) {
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	first := ds[0].Event.Input()
	if err := s.address(m, first); err != nil {
		return nil, err
	}
	in := first
	if s.cfg.Batch != nil {
		in = digest(ds)
	}
	subject, err := fill("subject", s.cfg.Subject, in)
	if err != nil {
		return nil, err
	}
	m.Subject(subject)
	from := m.GetFrom()[0].Address
	m.SetMessageIDWithValue(id + from[strings.LastIndexByte(from, '@'):])
	m.SetDateWithValue(ds[0].Event.Time)
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no answering machine answers
	for _, name := range slices.Sorted(maps.Keys(s.cfg.Headers)) {
		value, err := fill("header "+name, s.cfg.Headers[name], first)
		if err != nil {
			return nil, err
		}
		m.SetGenHeader(mail.Header(name), value)
	}
	if err := s.write(m, in); err != nil {
		return nil, err
	}
	return m, s.attach(m, in)
}

// digest is what the templates of a digest see.
func digest(ds []component.Delivery) *expr.Input {
	in := ds[0].Event.Input()
	bodies := make([]any, len(ds))
	for i := range ds {
		bodies[i] = ds[i].Event.Body
	}
	return &expr.Input{Body: bodies, Event: in.Event, Seed: in.Seed}
}

func fill(what string, t expr.Template, in *expr.Input) (string, error) {
	text, err := t.Eval(in)
	if err != nil {
		return "", fmt.Errorf("fill %s: %w", what, err)
	}
	return text, nil
}

// address says from whom and to whom.
func (s *sink) address(m *mail.Msg, in *expr.Input) error {
	from, err := address("from", s.cfg.From, in)
	if err != nil {
		return err
	}
	m.FromMailAddress(from)
	for _, list := range []struct {
		name      string
		templates []expr.Template
		add       func(*netmail.Address)
	}{
		{"to", s.cfg.To, m.AddToMailAddress}, {"cc", s.cfg.CC, m.AddCcMailAddress}, {"bcc", s.cfg.BCC, m.AddBccMailAddress},
	} {
		for i, t := range list.templates {
			a, err := address(fmt.Sprintf("%s[%d]", list.name, i), t, in)
			if err != nil {
				return err
			}
			list.add(a)
		}
	}
	if !s.cfg.ReplyTo.IsSet() {
		return nil
	}
	reply, err := address("reply_to", s.cfg.ReplyTo, in)
	if err != nil {
		return err
	}
	m.ReplyToMailAddress(reply)
	return nil
}

// address fills t with exactly one address: what an event holds can be no second
// recipient.
func address(what string, t expr.Template, in *expr.Input) (*netmail.Address, error) {
	text, err := fill(what, t, in)
	if err != nil {
		return nil, err
	}
	a, err := netmail.ParseAddress(text)
	if err != nil {
		return nil, fmt.Errorf("fill %s: %q is not one address", what, text)
	}
	if a.Address, err = asciiDomain(a.Address); err != nil {
		return nil, fmt.Errorf("fill %s: %q: %w", what, text, err)
	}
	return a, nil
}

// asciiDomain writes the domain of an address as every server knows it (RFC 5891).
func asciiDomain(address string) (string, error) {
	local, domain := address[:strings.LastIndexByte(address, '@')+1], address[strings.LastIndexByte(address, '@')+1:]
	if !strings.ContainsFunc(domain, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return address, nil
	}
	domain, err := idna.Lookup.ToASCII(domain)
	if err != nil {
		return "", fmt.Errorf("there is no such domain: %w", err)
	}
	return local + domain, nil
}

// write makes what is read: HTML has the last word, as RFC 2046 wants it.
func (s *sink) write(m *mail.Msg, in *expr.Input) error {
	if s.cfg.Text.IsSet() {
		text, err := fill("text", s.cfg.Text, in)
		if err != nil {
			return err
		}
		m.SetBodyString(mail.TypeTextPlain, text)
	}
	if !s.cfg.HTML.IsSet() {
		return nil
	}
	html, err := fill("html", s.cfg.HTML, in)
	switch {
	case err != nil:
		return err
	case s.cfg.Text.IsSet():
		m.AddAlternativeString(mail.TypeTextHTML, html)
	default:
		m.SetBodyString(mail.TypeTextHTML, html)
	}
	return nil
}

func (s *sink) attach(m *mail.Msg, in *expr.Input) error {
	if !s.cfg.Attachments.IsSet() {
		return nil
	}
	v, err := s.cfg.Attachments.Eval(in)
	if err != nil {
		return fmt.Errorf("compute attachments: %w", err)
	}
	list, ok := v.([]any)
	if !ok && v != nil {
		return fmt.Errorf("compute attachments: the expression yields no list")
	}
	for i, v := range list {
		if err := attachOne(m, v); err != nil {
			return fmt.Errorf("attach element %d: %w", i, err)
		}
	}
	return nil
}

func attachOne(m *mail.Msg, v any) error {
	a, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("it is no object of name and content")
	}
	content, err := contentOf(a)
	if err != nil {
		return err
	}
	name, _ := a["name"].(string)
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return fmt.Errorf("name %q is no name of a file", name)
	}
	var options []mail.FileOption
	if typ, _ := a["content_type"].(string); typ != "" {
		if strings.ContainsFunc(typ, func(r rune) bool { return r < ' ' }) {
			return fmt.Errorf("content_type %q is none", typ)
		}
		options = append(options, mail.WithFileContentType(mail.ContentType(typ)))
	}
	return m.AttachReader(path.Base(name), bytes.NewReader(content), options...)
}

func contentOf(a map[string]any) ([]byte, error) {
	text, isText := a["content"].(string)
	switch encoding := a["encoding"]; {
	case a["content"] == nil:
		return nil, fmt.Errorf("it has no content")
	case encoding == "base64":
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil || !isText {
			return nil, fmt.Errorf("content is no base64")
		}
		return b, nil
	case encoding != nil:
		return nil, fmt.Errorf("encoding can be 'base64', or is left out for text")
	case isText:
		return []byte(text), nil
	}
	return format.AppendJSON(nil, a["content"])
}
