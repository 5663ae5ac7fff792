package journal

import (
	"errors"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// code is SQLite's primary result code in err, 0 if there is none
// (https://www.sqlite.org/rescode.html).
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// isFull tells that the disk has no room.
func isFull(err error) bool {
	return code(err) == sqlite3.SQLITE_FULL || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// isDamaged tells that the file is not what SQLite wrote.
func isDamaged(err error) bool {
	return code(err) == sqlite3.SQLITE_CORRUPT || code(err) == sqlite3.SQLITE_NOTADB
}

// isOwn tells that an error concerns only the submission that met it, not the
// transaction: bad values, not a bad disk.
func isOwn(err error) bool {
	switch code(err) {
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE:
		return true
	case 0:
		var own ownError
		return errors.As(err, &own)
	}
	return false
}

// ownError marks an error found by us before anything was written.
type ownError struct{ error }

func (e ownError) Unwrap() error { return e.error }

func own(err error) error { return ownError{err} }
