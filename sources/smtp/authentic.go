package smtp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"blitiri.com.ar/go/spf"
	"github.com/emersion/go-msgauth/dkim"
	"github.com/emersion/go-msgauth/dmarc"
	"github.com/emersion/go-smtp"

	"github.com/syncd/syncd/engine/message"
)

// lookupTime is what all questions to the DNS about one mail may take.
const lookupTime = 10 * time.Second

// maxSignatures bounds the work that a mail can cause.
const maxSignatures = 8

// judge tells what was found about the sender of a mail, nil when nothing was looked up,
// and with which answer it is refused, if at all.
func (m *incoming) judge(r *received) (*message.Auth, *smtp.SMTPError) {
	from := message.From(r.head)
	for _, a := range from {
		if len(m.source.from) > 0 && !m.mayWrite(a) {
			return nil, answer(550, 5, 7, 1, fmt.Sprintf("From: %s may not write here", a))
		}
	}
	if len(from) == 0 && len(m.source.from) > 0 {
		return nil, answer(550, 5, 7, 1, "the mail has no From, and not everybody may write here")
	}
	if !m.config.Authenticate || len(m.config.Require) == 0 && (m.conn.peer.IsLoopback() || m.user != "") {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(m.ctx, lookupTime)
	defer cancel()
	q := &inquiry{ctx: ctx, resolver: m.resolver, author: message.Author(from)}
	q.spf(m.ip(), m.smtp.Hostname(), m.from)
	q.dkim(r.reader())
	q.dmarc()
	return &q.Auth, q.refusal(m.config.Require)
}

func (s *source) mayWrite(address string) bool {
	for _, g := range s.from {
		if g.MatchString(address) {
			return true
		}
	}
	return false
}

// inquiry asks the DNS about one mail.
type inquiry struct {
	message.Auth
	ctx      context.Context
	resolver spf.DNSResolver
	author   string
	record   *dmarc.Record // nil: its domain has none
}

func (q *inquiry) lookupTXT(domain string) ([]string, error) {
	return q.resolver.LookupTXT(q.ctx, domain)
}

// spf asks whether the peer may send for the domain of the envelope's sender (RFC 7208).
func (q *inquiry) spf(ip net.IP, helo, sender string) {
	result, _ := spf.CheckHostWithSender(ip, helo, sender, spf.WithResolver(q.resolver), spf.WithContext(q.ctx)) // the result says it
	q.SPF, q.SPFDomain = string(result), message.Domain(sender)
	if sender == "" {
		q.SPFDomain = message.Domain(helo)
	}
}

// dkim checks the signatures (RFC 6376): one that is good suffices.
func (q *inquiry) dkim(raw io.Reader) {
	found, err := dkim.VerifyWithOptions(raw, &dkim.VerifyOptions{LookupTXT: q.lookupTXT, MaxVerifications: maxSignatures})
	q.DKIM = "none"
	if err != nil && !errors.Is(err, dkim.ErrTooManySignatures) {
		q.DKIM = "permerror"
	}
	for _, v := range found {
		switch {
		case v.Err == nil:
			q.DKIMDomains = append(q.DKIMDomains, message.Domain(v.Domain))
			q.DKIM = "pass"
		case q.DKIM == "pass":
		case dkim.IsTempFail(v.Err):
			q.DKIM = "temperror"
		case dkim.IsPermFail(v.Err) && q.DKIM != "temperror":
			q.DKIM = "permerror"
		case q.DKIM == "none":
			q.DKIM = "fail"
		}
	}
}

// dmarc asks the domain of From what it says of its mails (RFC 7489), and whether SPF or
// DKIM speaks for it.
func (q *inquiry) dmarc() {
	q.DMARC = "none"
	if q.author == "" {
		q.DMARC = "permerror"
		return
	}
	err := q.findPolicy()
	q.align()
	switch {
	case errors.Is(err, dmarc.ErrNoPolicy):
	case dmarc.IsTempFail(err), q.ctx.Err() != nil:
		q.DMARC = "temperror"
	case err != nil:
		q.DMARC = "permerror"
	case len(q.Aligned) > 0:
		q.DMARC = "pass"
	case q.SPF == "temperror" || q.DKIM == "temperror":
		q.DMARC = "temperror"
	default:
		q.DMARC = "fail"
	}
}

// findPolicy looks for the record of From's domain, then of the organisation above it.
func (q *inquiry) findPolicy() error {
	options := &dmarc.LookupOptions{LookupTXT: q.lookupTXT}
	record, err := dmarc.LookupWithOptions(q.author, options)
	above := message.Organisation(q.author)
	if errors.Is(err, dmarc.ErrNoPolicy) && above != q.author {
		if record, err = dmarc.LookupWithOptions(above, options); err == nil && record.SubdomainPolicy != "" {
			record.Policy = record.SubdomainPolicy
		}
	}
	if err != nil {
		return err
	}
	q.record, q.Policy = record, string(record.Policy)
	return nil
}

// align notes which of the two passed for the domain of From.
func (q *inquiry) align() {
	spfMode, dkimMode := dmarc.AlignmentMode(dmarc.AlignmentRelaxed), dmarc.AlignmentMode(dmarc.AlignmentRelaxed)
	if q.record != nil {
		spfMode, dkimMode = q.record.SPFAlignment, q.record.DKIMAlignment
	}
	if q.SPF == "pass" && message.SpeaksFor(q.SPFDomain, q.author, spfMode == dmarc.AlignmentStrict) {
		q.Aligned = append(q.Aligned, "spf")
	}
	if slices.ContainsFunc(q.DKIMDomains, func(d string) bool { return message.SpeaksFor(d, q.author, dkimMode == dmarc.AlignmentStrict) }) {
		q.Aligned = append(q.Aligned, "dkim")
	}
}

// refusal is the answer to a mail that does not show what is required; nil: it does.
// What could not be asked may be so the next time.
func (q *inquiry) refusal(require []string) *smtp.SMTPError {
	for _, what := range require {
		switch {
		case what == "dmarc" && q.DMARC == "permerror" && q.author == "":
			return answer(550, 5, 7, 1, "the mail must have one From, with one address")
		case what == "dmarc" && q.DMARC == "temperror":
			return answer(451, 4, 7, 0, "DMARC of "+q.author+" could not be looked up, come again later")
		case what == "dmarc" && q.DMARC == "fail" && (q.Policy == "reject" || q.Policy == "quarantine"):
			return answer(550, 5, 7, 26, fmt.Sprintf("%s asks to %s what neither SPF nor DKIM speaks for (DMARC)", q.author, q.Policy))
		case what == "dmarc", slices.Contains(q.Aligned, what):
		case what == "spf" && q.SPF == "temperror", what == "dkim" && q.DKIM == "temperror":
			return answer(451, 4, 7, 0, strings.ToUpper(what)+" could not be looked up, come again later")
		case what == "spf":
			return answer(550, 5, 7, 23, fmt.Sprintf("SPF does not speak for the domain of From, %q: %s for %q", q.author, q.SPF, q.SPFDomain))
		case what == "dkim":
			return answer(550, 5, 7, 20, fmt.Sprintf("no good DKIM signature speaks for the domain of From, %q: %s", q.author, q.DKIM))
		}
	}
	return nil
}
