package imap

import (
	"regexp"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/syncd/syncd/engine/message"
)

// criteria say which mails are read: what the server can tell it is asked for, and the
// rest is looked at when the mail is here. A server finds text anywhere in a field,
// where a pattern says more.
type criteria struct {
	search            imap.SearchCriteria
	asks              bool // search narrows anything
	from, to, subject *regexp.Regexp
}

func newCriteria(m *Match) criteria {
	var c criteria
	if m.From != "" {
		c.from = glob(m.From)
		c.header(m.From, func(text string) imap.SearchCriteria { return field("From", text) })
	}
	if m.To != "" {
		c.to = glob(m.To)
		c.header(m.To, func(text string) imap.SearchCriteria {
			return imap.SearchCriteria{Or: [][2]imap.SearchCriteria{{field("To", text), field("Cc", text)}}}
		})
	}
	if m.Subject != "" {
		c.subject = glob(m.Subject)
		c.header(m.Subject, func(text string) imap.SearchCriteria { return field("Subject", text) })
	}
	if m.Unseen {
		c.search.NotFlag = append(c.search.NotFlag, imap.FlagSeen)
	}
	if at, err := time.Parse(time.DateOnly, m.Since); err == nil {
		c.search.Since = at
	}
	c.search.Larger = int64(m.Larger)
	c.asks = c.asks || m.Unseen || m.Since != "" || m.Larger > 0
	return c
}

func field(name, text string) imap.SearchCriteria {
	return imap.SearchCriteria{Header: []imap.SearchCriteriaHeaderField{{Key: name, Value: text}}}
}

// header asks for what a pattern has between its stars. Servers may know no text but
// ASCII there (RFC 3501, section 6.4.4), and blanks of a folded field are nobody's.
func (c *criteria) header(pattern string, asked func(text string) imap.SearchCriteria) {
	for piece := range strings.SplitSeq(pattern, "*") {
		for _, word := range strings.Fields(piece) {
			if strings.ContainsFunc(word, func(r rune) bool { return r > '~' || r < '!' || r == '"' || r == '\\' }) {
				continue
			}
			more := asked(word)
			c.search.And(&more)
			c.asks = true
		}
	}
}

// fits tells whether the header is one that the patterns are of.
func (c *criteria) fits(raw []byte) bool {
	if c.from == nil && c.to == nil && c.subject == nil {
		return true
	}
	head := message.Addressed(raw)
	from, _ := head["from"].(string)
	subject, _ := head["subject"].(string)
	return (c.from == nil || c.from.MatchString(from)) &&
		(c.subject == nil || c.subject.MatchString(strings.TrimSpace(subject))) &&
		(c.to == nil || anyFits(c.to, head["to"]) || anyFits(c.to, head["cc"]))
}

func anyFits(pattern *regexp.Regexp, addresses any) bool {
	list, _ := addresses.([]any)
	for _, a := range list {
		if text, _ := a.(string); pattern.MatchString(text) {
			return true
		}
	}
	return false
}
