// Package sql is the connection to a relational database: PostgreSQL, MySQL or
// MariaDB, SQLite. It has a pool, and knows what the databases call things and what
// their errors mean.
package sql

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // its driver is opened by name

	"github.com/syncd/syncd/engine/component"
)

//go:embed page.md
var page string

// Kind declares connection "sql".
var Kind = component.ConnectionKind("sql", "A database, PostgreSQL, MySQL, MariaDB or SQLite, and a pool of connections to it.", newConfig, open).WithPage(page)

// DB is what users of the connection get. Servers are connected to on first use.
type DB struct {
	*sql.DB
	Dialect Dialect
}

var (
	_ component.Checker = (*DB)(nil)
	_ component.Closer  = (*DB)(nil)
)

// idle is how long a connection that nobody uses is kept.
const idle = 5 * time.Minute

func open(_ component.Env, cfg *Config) (*DB, error) {
	db := &DB{Dialect: Dialect(cfg.Driver)}
	var err error
	switch db.Dialect {
	case Postgres:
		db.DB, err = openPostgres(cfg)
	case MySQL:
		db.DB, err = openMySQL(cfg)
	case SQLite:
		db.DB, err = openSQLite(cfg)
	}
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db.SetMaxOpenConns(cfg.MaxConnections)
	db.SetMaxIdleConns(cfg.MaxConnections)
	db.SetConnMaxIdleTime(idle)
	return db, nil
}

// openPostgres: sessions are in UTC, so that a time without a zone means that.
func openPostgres(cfg *Config) (*sql.DB, error) {
	c, err := pgx.ParseConfig(cfg.DSN.Reveal())
	if err != nil {
		return nil, errors.New("dsn: " + dsnHint["postgres"])
	}
	for name, value := range map[string]string{
		"application_name":  "syncd",
		"timezone":          "UTC",
		"statement_timeout": strconv.FormatInt(cfg.Timeout.Milliseconds(), 10),
	} {
		if _, given := c.RuntimeParams[name]; !given {
			c.RuntimeParams[name] = value
		}
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = cfg.Timeout
	}
	return stdlib.OpenDB(*c), nil
}

// openMySQL: sessions are in UTC, and strict whatever the server's default is: a value
// that does not fit is an error instead of being cut.
func openMySQL(cfg *Config) (*sql.DB, error) {
	c, err := mysql.ParseDSN(cfg.DSN.Reveal())
	if err != nil {
		return nil, errors.New("dsn: " + dsnHint["mysql"])
	}
	if c.Params == nil {
		c.Params = map[string]string{}
	}
	// MariaDB alone reads what stands in /*M! … */.
	seconds := max(int64(cfg.Timeout.Seconds()), 1)
	c.Params["time_zone"] = fmt.Sprintf("'+00:00' /*M!100101 , max_statement_time=%d */", seconds)
	c.Params["innodb_lock_wait_timeout"] = strconv.FormatInt(seconds, 10)
	c.Params["sql_mode"] = "CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')"
	c.Loc, c.ParseTime = time.UTC, true
	c.InterpolateParams = true // one way to the server and back for a statement
	c.ClientFoundRows = true   // a row that is found counts, changed or not
	if c.Timeout == 0 {
		c.Timeout = cfg.Timeout
	}
	c.Logger = silent{}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// silent: what the driver would log stands in the errors that it returns.
type silent struct{}

func (silent) Print(...any) {}

// busy is how long SQLite waits for a lock, during which it hears of no ctx.
const busy = 200 * time.Millisecond

// openSQLite opens the file at once, for what stands in its way is of this machine. One
// of our own making has a write-ahead log; any other keeps what it has.
func openSQLite(cfg *Config) (*sql.DB, error) {
	file := cfg.DSN.Reveal()
	query := url.Values{"_txlock": {"immediate"}, "_pragma": {
		fmt.Sprintf("busy_timeout(%d)", busy.Milliseconds()), "foreign_keys(1)",
	}}
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		query.Add("_pragma", "journal_mode(WAL)")
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return nil, fmt.Errorf("make directory: %w", err)
	}
	path := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(file)
	db, err := sql.Open("sqlite", "file:"+path+"?"+query.Encode())
	if err != nil {
		return nil, err
	}
	if err := db.Ping(); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", file, err), db.Close())
	}
	return db, nil
}

// Check connects and authenticates, and asks nothing.
func (db *DB) Check(ctx context.Context) error {
	return db.Explain(db.PingContext(ctx))
}
