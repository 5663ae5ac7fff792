package sql

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/peer"
)

// Fault is what an error of the database is the fault of.
type Fault int

// The faults.
const (
	// Passing: of the moment; the same statement may succeed later.
	Passing Fault = iota
	// Conflict: with another transaction; the same one may succeed at once.
	Conflict
	// Row: of what was to be stored; it never succeeds.
	Row
	// Setup: of the database or of how it is used: credentials, rights, tables. Nothing
	// succeeds until somebody does something.
	Setup
)

// FaultOf tells what an error is the fault of.
func FaultOf(err error) Fault {
	var (
		pg  *pgconn.PgError
		my  *mysql.MySQLError
		lit *sqlite.Error
	)
	switch {
	case errors.As(err, &pg):
		return ofState(pg.Code)
	case errors.As(err, &my):
		return ofMySQL(my)
	case errors.As(err, &lit):
		return ofSQLite(lit.Code())
	case peer.IsDNS(err), peer.IsTLS(err):
		return Setup
	}
	return Passing
}

// ofState judges by PostgreSQL's error codes, of which the first two letters are the
// class (https://www.postgresql.org/docs/current/errcodes-appendix.html).
func ofState(code string) Fault {
	switch {
	case code == "40001", code == "40P01":
		return Conflict
	case code == "42804", code == "P0001": // datatype mismatch; what a trigger raises
		return Row
	}
	switch code[:2] {
	case "21", "22", "23", "44", "54": // 54: a text too long for an index
		return Row
	case "0A", "28", "2F", "3D", "3F", "42":
		return Setup
	}
	return Passing
}

// Errors of MySQL and MariaDB whose SQLSTATE tells too little
// (https://mariadb.com/kb/en/mariadb-error-code-reference/).
var (
	myConflicts = []uint16{1205, 1213, 1020}
	// too long, out of range, wrong value, truncated, no default, wrong string for the
	// charset, signal of a trigger, checks of a table or a JSON column
	myRows = []uint16{1264, 1265, 1292, 1364, 1366, 1406, 1411, 1416, 1525, 1644, 1690, 3140, 3819, 4025}
	// accounts, databases, tables, columns, rights, read-only servers
	mySetups = []uint16{1044, 1045, 1049, 1054, 1064, 1142, 1143, 1146, 1227, 1290, 1698, 1792}
)

func ofMySQL(err *mysql.MySQLError) Fault {
	switch {
	case slices.Contains(myConflicts, err.Number):
		return Conflict
	case slices.Contains(mySetups, err.Number):
		return Setup
	case slices.Contains(myRows, err.Number):
		return Row
	}
	switch string(err.SQLState[:2]) {
	case "21", "22", "23", "45":
		return Row
	case "42", "28", "3D":
		return Setup
	}
	return Passing
}

func ofSQLite(code int) Fault {
	switch code & 0xff {
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return Conflict
	case lib.SQLITE_CONSTRAINT, lib.SQLITE_MISMATCH, lib.SQLITE_TOOBIG:
		return Row
	case lib.SQLITE_ERROR, lib.SQLITE_PERM, lib.SQLITE_AUTH, lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN,
		lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return Setup
	}
	return Passing
}

// IsNoTable tells whether a statement failed because a table is not there.
func IsNoTable(err error) bool {
	var (
		pg  *pgconn.PgError
		my  *mysql.MySQLError
		lit *sqlite.Error
	)
	return errors.As(err, &pg) && pg.Code == "42P01" || errors.As(err, &my) && my.Number == 1146 ||
		errors.As(err, &lit) && strings.Contains(lit.Error(), "no such table")
}

// Explain makes of a driver's error what a delivery is to fail with: what the server
// said, and whether it may pass. A row's own fault is permanent.
func (db *DB) Explain(err error) error {
	if err == nil {
		return nil
	}
	told := error(&failure{db.Dialect, err})
	switch FaultOf(err) {
	case Row:
		return component.Permanent(told)
	case Setup:
		return component.Unwell(told)
	}
	return told
}

// failure says it in words that help whoever reads a log.
type failure struct {
	dialect Dialect
	err     error
}

func (f *failure) Unwrap() error { return f.err }

func (f *failure) Error() string {
	var pg *pgconn.PgError
	var op *net.OpError
	text := f.err.Error()
	switch {
	case errors.Is(f.err, context.DeadlineExceeded), errors.Is(f.err, os.ErrDeadlineExceeded):
		text = "no answer in time"
	case errors.Is(f.err, driver.ErrBadConn), errors.Is(f.err, mysql.ErrInvalidConn), errors.Is(f.err, io.EOF), errors.Is(f.err, io.ErrUnexpectedEOF):
		text = "the connection broke"
	case errors.As(f.err, &pg):
		text = pg.Message
		if pg.Detail != "" {
			text += ": " + pg.Detail
		}
		text += " (" + pg.Code + ")"
	case errors.As(f.err, &op): // the driver tells it once for each way that it has tried
		text = op.Error()
	}
	return string(f.dialect) + ": " + text
}
