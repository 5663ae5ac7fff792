// Package imap is the source that reads the mails of mailboxes on a server: at once
// where the server says that there are new ones, and by asking in any case.
//
// Each mailbox has a connection and a place: how far it has been read, and what is yet
// to be done to mails that are events already. It is committed with the events that it
// covers (see place).
package imap

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncd/syncd/engine/component"
)

//go:embed page.md
var page string

// Kind declares source "imap".
func Kind() component.Kind {
	return component.SourceKind("imap", "Reads the mails of mailboxes, as they come in: each is one event.", newConfig, open).WithPage(page)
}

// Config is the block of a source.
type Config struct {
	Connection component.Ref  `hcl:"connection,required" ref:"connection.imap" doc:"The server that the mailbox is on." example:"connection.imap.mail"`
	Mailbox    string         `hcl:"mailbox" doc:"The mailbox, by the name that the server gives it; shared ones too." example:"\"INBOX\""`
	Mailboxes  []string       `hcl:"mailboxes" doc:"Several of them, in place of mailbox; each takes a connection." example:"[\"INBOX\", \"Orders\"]"`
	Idle       bool           `hcl:"idle" doc:"Have the server tell of new mails at once, if it can (IDLE)."`
	Every      time.Duration  `hcl:"every" min:"1s" doc:"How often it is asked for new mails in any case. A connection that has died unnoticed shows then."`
	MaxMessage component.Size `hcl:"max_message" min:"1KiB" max:"1GiB" doc:"The largest mail; of a larger one, a dead letter with its header is kept, and the mail stays where it is."`
	Match      Match          `hcl:"match,block" doc:"Which mails are read; the others are left alone."`
	Trusted    string         `hcl:"trusted_results" doc:"The server whose Authentication-Results are believed, by the name that they begin with: usually the one that takes the mailbox's mail from the world. meta.mail.auth has them." example:"\"mx.example.com\""`
	Require    []string       `hcl:"require" doc:"What a mail must show by trusted_results, or it becomes no event: that SPF or DKIM speaks for the domain of its From; dmarc: what that domain itself asks for." enum:"spf|dkim|dmarc" example:"[\"dkim\"]"`
	After      *After         `hcl:"after,block" doc:"What becomes of a mail that is an event; without it, it is marked as seen."`
}

// Match says which mails are read. What is not given fits all.
type Match struct {
	From    string         `hcl:"from" doc:"The address of From; * stands for anything." example:"\"*@partner.example\""`
	To      string         `hcl:"to" doc:"An address of To or Cc; * stands for anything." example:"\"orders@*\""`
	Subject string         `hcl:"subject" doc:"The subject; * stands for anything." example:"\"*order*\""`
	Unseen  bool           `hcl:"unseen" doc:"true: those alone that nobody has opened. Which mails have become events is remembered without it."`
	Since   string         `hcl:"since" doc:"Those that came into the mailbox on that day or later." example:"\"2026-11-01\""`
	Larger  component.Size `hcl:"larger" doc:"Those that are larger." example:"\"1MiB\""`
}

// After says what becomes of a mail.
type After struct {
	Seen   *bool  `hcl:"seen" doc:"Whether it is marked as seen: true where neither move nor delete is given. With false, and no move or delete, nothing at all is changed in the mailbox."`
	Move   string `hcl:"move" doc:"The mailbox that it is moved to, made if need be." example:"\"Processed\""`
	Delete bool   `hcl:"delete" doc:"true: it is deleted."`
	Failed string `hcl:"failed" doc:"The mailbox that a mail is moved to which does not become an event: it is too large, or does not show what require wants." example:"\"Refused\""`
}

func newConfig() *Config {
	return &Config{Mailbox: "INBOX", Idle: true, Every: 5 * time.Minute, MaxMessage: 25 << 20}
}

// Validate checks what tags cannot say.
func (c *Config) Validate(p *component.Problems) {
	c.validateMailboxes(p)
	if c.Match.Since != "" {
		if _, err := time.Parse(time.DateOnly, c.Match.Since); err != nil {
			p.Error("match.since", "not a day", `Write year, month and day: "2026-11-01".`)
		}
	}
	if len(c.Require) > 0 && c.Trusted == "" {
		p.Error("require", "require without trusted_results", `A mail in a mailbox proves nothing by itself: name the server whose Authentication-Results are believed, trusted_results = "mx.example.com".`)
	}
	if c.After != nil {
		c.validateAfter(p)
	}
}

func (c *Config) validateMailboxes(p *component.Problems) {
	if len(c.Mailboxes) > 0 && c.Mailbox != newConfig().Mailbox {
		p.Error("mailboxes", "both mailbox and mailboxes", "Name one in mailbox, or several in mailboxes.")
	}
	if c.Mailbox == "" {
		p.Error("mailbox", "no mailbox", `The one that mail comes into is "INBOX".`)
	}
	for i, m := range c.Mailboxes {
		switch {
		case m == "":
			p.Error(fmt.Sprintf("mailboxes[%d]", i), "no mailbox", `The one that mail comes into is "INBOX".`)
		case slices.ContainsFunc(c.Mailboxes[:i], func(o string) bool { return canonical(o) == canonical(m) }):
			p.Error(fmt.Sprintf("mailboxes[%d]", i), m+" is there twice", "Once is enough.")
		}
	}
}

func (c *Config) validateAfter(p *component.Problems) {
	a := c.After
	if a.Move != "" && a.Delete {
		p.Error("after.delete", "both move and delete", "A mail that has been read is moved or deleted. Take one out.")
	}
	for attr, to := range map[string]string{"after.move": a.Move, "after.failed": a.Failed} {
		if to != "" && slices.ContainsFunc(c.mailboxes(), func(m string) bool { return canonical(m) == canonical(to) }) {
			p.Error(attr, "a mailbox that is read", to+" is read itself: what is moved there would come again. Choose another.")
		}
	}
}

// Claims keep two sources from taking the same mails away.
func (c *Config) Claims() []component.Claim {
	if !c.takesAway() {
		return nil
	}
	attr := "mailbox"
	if len(c.Mailboxes) > 0 {
		attr = "mailboxes"
	}
	var claims []component.Claim
	for _, m := range c.mailboxes() {
		claims = append(claims, component.Claim{Attr: attr, What: "what is taken away from " + canonical(m) + " on " + string(c.Connection.Address)})
	}
	return claims
}

func (c *Config) takesAway() bool { return c.After != nil && (c.After.Move != "" || c.After.Delete) }

func (c *Config) mailboxes() []string {
	if len(c.Mailboxes) > 0 {
		return c.Mailboxes
	}
	return []string{c.Mailbox}
}

// canonical is a mailbox's name; INBOX is the only one that may be written in any case.
func canonical(mailbox string) string {
	if strings.EqualFold(mailbox, "INBOX") {
		return "INBOX"
	}
	return mailbox
}

// action is what is done to a mail.
type action struct {
	seen   bool
	move   string
	delete bool
}

func (a action) any() bool { return a != action{} }

// gone tells whether the mail is not in its mailbox any more, once it is done.
func (a action) gone() bool { return a.move != "" || a.delete }

// onDone is what is done to a mail that is an event, onFailed to one that is none.
func (c *Config) onDone() action {
	if c.After == nil {
		return action{seen: true}
	}
	a := action{move: c.After.Move, delete: c.After.Delete}
	if c.After.Seen != nil {
		a.seen = *c.After.Seen && !a.delete
	} else {
		a.seen = !a.gone()
	}
	return a
}

func (c *Config) onFailed() action {
	if c.After == nil {
		return action{}
	}
	return action{move: c.After.Failed}
}
