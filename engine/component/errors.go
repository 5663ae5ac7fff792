package component

import (
	"errors"
	"fmt"
	"time"
)

// A delivery's error is worth a retry unless it says otherwise:
//
//   - Permanent: this delivery will never succeed; it becomes a dead letter.
//   - RetryAfter: not before d has passed.
//   - Unwell: the sink itself is unwell (credentials, TLS, DNS): its lane stops
//     and probes, and no attempt is counted.

type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent marks err as final for its delivery or event.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

// IsPermanent tells whether err was marked by Permanent.
func IsPermanent(err error) bool {
	var p permanent
	return errors.As(err, &p)
}

type retryAfter struct {
	error
	d time.Duration
}

func (r retryAfter) Unwrap() error { return r.error }

// RetryAfter marks err as passing, and not to be tried again before d.
func RetryAfter(err error, d time.Duration) error { return retryAfter{err, d} }

// Wait is the pause that RetryAfter asked for, 0 without one.
func Wait(err error) time.Duration {
	var r retryAfter
	if errors.As(err, &r) {
		return r.d
	}
	return 0
}

type unwell struct{ error }

func (u unwell) Unwrap() error { return u.error }

// Unwell marks err as the sink's own illness, whatever was delivered.
func Unwell(err error) error { return unwell{err} }

// IsUnwell tells whether err was marked by Unwell.
func IsUnwell(err error) bool {
	var u unwell
	return errors.As(err, &u)
}

// LaterError is an intake's answer when it can take nothing now. Nothing was stored.
type LaterError struct {
	Reason string // for the sender and the log: "disk full", "flow orders is 2 GiB behind"
	After  time.Duration
}

func (e *LaterError) Error() string {
	return fmt.Sprintf("not now: %s; try again in %s", e.Reason, e.After)
}
