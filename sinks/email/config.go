package email

import (
	"fmt"
	"maps"
	netmail "net/mail"
	"net/textproto"
	"slices"
	"strings"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

// Config is a sink "email" block.
type Config struct {
	Connection  component.Ref            `hcl:"connection,required" ref:"connection.smtp" doc:"The server that takes the mail." example:"connection.smtp.relay"`
	From        expr.Template            `hcl:"from,required" escape:"header" doc:"The sender, as an address or Name <address>." example:"\"Shop <shop@example.com>\""`
	To          []expr.Template          `hcl:"to" escape:"header" doc:"Who gets it: one address an element, with or without a name." example:"[\"ops@example.com\", \"{{ body.customer.email }}\"]"`
	CC          []expr.Template          `hcl:"cc" escape:"header" doc:"Who else gets it, for all to see." example:"[\"sales@example.com\"]"`
	BCC         []expr.Template          `hcl:"bcc" escape:"header" doc:"Who else gets it, for nobody to see." example:"[\"archive@example.com\"]"`
	ReplyTo     expr.Template            `hcl:"reply_to" escape:"header" doc:"Where answers go, if not to the sender." example:"\"support@example.com\""`
	Subject     expr.Template            `hcl:"subject,required" escape:"header" doc:"The subject." example:"\"Order {{ body.id }}\""`
	Text        expr.Template            `hcl:"text" doc:"The mail as plain text." example:"\"{{ body.name }}, thank you for your order.\""`
	HTML        expr.Template            `hcl:"html" escape:"html" doc:"The mail as HTML, beside text or alone; what holes yield is escaped." example:"\"<p>Order <b>{{ body.id }}</b></p>\""`
	Headers     map[string]expr.Template `hcl:"headers" escape:"header" doc:"Headers beside those that the other attributes make." example:"{ X-Order = \"{{ body.id }}\" }"`
	Attachments expr.Expr                `hcl:"attachments" yields:"list" doc:"What is attached: a list of objects of name, content, and, if it is not to be told from the name, content_type. content is text, or with encoding: 'base64' what that stands for, and a list or object goes as JSON." example:"\"[{name: 'order.json', content: body}]\""`
	Batch       *component.Batching      `hcl:"batch,block" doc:"Sends one mail for several events, a digest: those whose addresses and headers are equal. subject, text, html and attachments see the list of bodies as body."`
}

func newConfig() *Config { return &Config{} }

// Validate checks what the tags cannot say.
func (c *Config) Validate(p *component.Problems) {
	if len(c.To)+len(c.CC)+len(c.BCC) == 0 {
		p.Error("to", "who gets the mail?", `Give at least one address: to = ["ops@example.com"].`)
	}
	if !c.Text.IsSet() && !c.HTML.IsSet() {
		p.Error("text", "nothing to read", `Give text, html or both: text = "{{ toJSON(body) }}".`)
	}
	c.validateBatch(p)
	checkAddress(p, "from", c.From)
	checkAddress(p, "reply_to", c.ReplyTo)
	for name, list := range map[string][]expr.Template{"to": c.To, "cc": c.CC, "bcc": c.BCC} {
		for i, t := range list {
			checkAddress(p, fmt.Sprintf("%s[%d]", name, i), t)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		if wrong := checkHeader(name); wrong != "" {
			p.Error("headers", "header not allowed", wrong)
		}
	}
}

// validateBatch: a digest is of many events, of which each has its own meta.
func (c *Config) validateBatch(p *component.Problems) {
	if c.Batch == nil {
		return
	}
	for _, name := range []string{"meta", "vars", "parent"} {
		for attr, uses := range map[string]bool{
			"subject": c.Subject.Uses(name), "text": c.Text.Uses(name), "html": c.HTML.Uses(name), "attachments": c.Attachments.Uses(name),
		} {
			if uses {
				p.Error(attr, "a digest has no "+name, "It is made of many events: body is the list of their bodies, event that of the first. Have the flow put what is needed into the bodies.")
			}
		}
	}
}

func checkAddress(p *component.Problems, attr string, t expr.Template) {
	text, literal := t.Literal()
	if !literal || !t.IsSet() {
		return
	}
	if _, err := netmail.ParseAddress(text); err != nil {
		hint := `Write "ops@example.com" or "Ops <ops@example.com>".`
		if list, err := netmail.ParseAddressList(text); err == nil && len(list) > 1 {
			hint = "There are several in one text; each is an element of its own."
		}
		p.Error(attr, fmt.Sprintf("%q is not the address of a mailbox", text), hint)
	}
}

// own are headers that other attributes, or the format of a mail, decide.
var own = []string{
	"From", "Sender", "To", "Cc", "Bcc", "Reply-To", "Subject", "Date", "Message-Id", "Mime-Version",
	"Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "Received", "Return-Path", "Auto-Submitted",
}

// checkHeader says in a sentence why a header of this name cannot be set, "" if it can.
func checkHeader(name string) string {
	// ftext of RFC 5322, section 3.6.8.
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || r == ':' }) {
		return fmt.Sprintf("%q is not the name of a header.", name)
	}
	if slices.Contains(own, textproto.CanonicalMIMEHeaderKey(name)) {
		return name + " is made from other attributes, or by syncd itself."
	}
	return ""
}
