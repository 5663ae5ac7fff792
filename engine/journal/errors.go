package journal

import "errors"

// Errors that callers tell apart.
var (
	ErrNotFound = errors.New("no such entry in the journal")
	ErrInUse    = errors.New("the lane is in use by a running flow")
	ErrClosed   = errors.New("the journal is closed")
)
