package email

import (
	"maps"
	"slices"
	"strings"

	"github.com/wneessen/go-mail"

	"github.com/syncd/syncd/engine/component"
)

var _ component.Batcher = (*sink)(nil)

// Batching implements component.Batcher.
func (s *sink) Batching() *component.Batching { return s.cfg.Batch }

// Group names who gets the mail and by which headers: a digest has one of each.
func (s *sink) Group(e *component.Event) (string, error) {
	in := e.Input()
	m := mail.NewMsg()
	if err := s.address(m, in); err != nil {
		return "", err
	}
	var group []string
	for _, header := range []mail.AddrHeader{mail.HeaderFrom, mail.HeaderTo, mail.HeaderCc, mail.HeaderBcc, mail.HeaderReplyTo} {
		group = append(group, string(header))
		group = append(group, m.GetAddrHeaderString(header)...)
	}
	for _, name := range slices.Sorted(maps.Keys(s.cfg.Headers)) {
		value, err := fill("header "+name, s.cfg.Headers[name], in)
		if err != nil {
			return "", err
		}
		group = append(group, value)
	}
	return strings.Join(group, "\x00"), nil
}
