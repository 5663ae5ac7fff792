package config

import (
	"cmp"
	"slices"
)

// Severity is how bad a diagnostic is.
type Severity string

// An error refuses the configuration, a warning never does.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Diagnostic is one mistake in a configuration, or one warning.
type Diagnostic struct {
	Severity Severity
	Summary  string // what is wrong, one line: "unknown attribute \"mehtod\""
	Detail   string // what to do about it; may have several lines
	Range    Range  // zero when no file is to blame
	Context  string // the blocks around it: "in flow \"orders\", filter"
	Source   string // the line of the file that Range starts in, secrets starred out
}

// Range is a stretch of a file; End is the first place behind it.
type Range struct {
	File       string // absolute
	Start, End Pos
}

// Pos is a place in a file. Line and Column count from 1, columns in
// characters; Byte counts from 0.
type Pos struct{ Line, Column, Byte int }

// Diagnostics are all that was found in a configuration, in the order of its files and lines.
type Diagnostics []Diagnostic

// HasErrors tells whether any of them refuses the configuration.
func (d Diagnostics) HasErrors() bool {
	return slices.ContainsFunc(d, func(x Diagnostic) bool { return x.Severity == Error })
}

// Count gives the number of errors and of warnings.
func (d Diagnostics) Count() (errors, warnings int) {
	for _, x := range d {
		if x.Severity == Error {
			errors++
		} else {
			warnings++
		}
	}
	return errors, warnings
}

// sorted orders by file and place and leaves out what was said already.
func (d Diagnostics) sorted() Diagnostics {
	slices.SortStableFunc(d, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.Range.File, b.Range.File),
			cmp.Compare(a.Range.Start.Byte, b.Range.Start.Byte),
			cmp.Compare(a.Range.End.Byte, b.Range.End.Byte),
			cmp.Compare(a.Severity, b.Severity),
			cmp.Compare(a.Summary, b.Summary),
			cmp.Compare(a.Detail, b.Detail),
		)
	})
	return slices.CompactFunc(d, func(a, b Diagnostic) bool {
		a.Context, b.Context = "", ""
		return a == b
	})
}
