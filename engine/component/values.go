package component

import (
	"fmt"
	"log/slog"
	"time"
)

// Size is a number of bytes, written "512KiB", "5MiB" or "10GB".
type Size int64

// Rate is so many per period, written "10/s" or "600/m"; the zero Rate is no limit.
type Rate struct {
	N   int
	Per time.Duration
}

// IsSet tells whether there is a limit.
func (r Rate) IsSet() bool { return r.N > 0 }

// Ref is a reference to another component; a field's ref tag says to which kind.
type Ref struct{ Address Address }

// IsSet tells whether the attribute was given.
func (r Ref) IsSet() bool { return r.Address != "" }

// Secret is a value that must never show. Only Reveal gives it away.
type Secret struct{ value string }

// NewSecret wraps s.
func NewSecret(s string) Secret { return Secret{s} }

// Reveal gives the value, to be used and not kept.
func (s Secret) Reveal() string { return s.value }

// IsSet tells whether there is a value.
func (s Secret) IsSet() bool { return s.value != "" }

const masked = "(sensitive)"

// String is "(sensitive)".
func (s Secret) String() string { return masked }

// GoString is "(sensitive)".
func (s Secret) GoString() string { return masked }

// MarshalJSON gives the string "(sensitive)".
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + masked + `"`), nil }

// LogValue keeps a secret out of package slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(masked) }

// Format keeps a secret out of every verb of package fmt.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, masked) }
