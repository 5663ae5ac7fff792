package expr

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Error is a fault in an expression or template, at compile or run time.
type Error struct {
	Source Source
	Offset int // byte offset in Source.Text
	Length int // bytes, at least 1 where there is a text
	// Message says what is wrong ("body.total is nil"), Hint what to do ("" if
	// nothing). Neither ends in a full stop; a hint starts in lower case.
	Message, Hint string
}

// Error gives place, message and hint: "orders.hcl:14:20: body.total is nil: write …".
func (e *Error) Error() string {
	s := e.Message
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	if e.Source.Text == "" {
		return s
	}
	return e.Source.position(e.Offset).String() + ": " + s
}

// Errors are all faults found in one text.
type Errors []*Error

// Error gives the first fault, and how many more there are.
func (e Errors) Error() string {
	switch len(e) {
	case 0:
		return "no fault"
	case 1:
		return e[0].Error()
	}
	return fmt.Sprintf("%s (and %d more)", e[0].Error(), len(e)-1)
}

// Unwrap gives the single faults to errors.As.
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i := range e {
		all[i] = e[i]
	}
	return all
}

// err is nil, the only fault, or all of them.
func (e Errors) err() error {
	switch len(e) {
	case 0:
		return nil
	case 1:
		return e[0]
	}
	return e
}

// String gives "file:line:column", without the file if there is none.
func (p Position) String() string {
	if p.File == "" {
		return fmt.Sprintf("%d:%d", p.Line, p.Column)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

func (s Source) position(offset int) Position {
	if s.Locate != nil {
		return s.Locate(offset)
	}
	before := s.Text[:min(offset, len(s.Text))]
	line := strings.LastIndexByte(before, '\n') + 1
	return Position{Line: strings.Count(before, "\n") + 1, Column: utf8.RuneCountInString(before[line:]) + 1}
}
