package sql

import (
	"path/filepath"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"

	"github.com/syncd/syncd/engine/component"
)

// Config is a connection "sql" block.
type Config struct {
	Driver         string           `hcl:"driver,required" enum:"postgres|mysql|sqlite" doc:"Which database it is; mysql is MariaDB, too."`
	DSN            component.Secret `hcl:"dsn,required" doc:"Where it is and who we are: for postgres a URL or key=value pairs, as psql takes them; for mysql user:password@tcp(host:port)/database; for sqlite the path of a file, which is made if it is not there." example:"credential(\"dwh\")"`
	MaxConnections int              `hcl:"max_connections" doc:"Connections at a time, of all users of this connection together." min:"1" max:"1000"`
	Timeout        time.Duration    `hcl:"timeout" doc:"How long the server lets a statement run, or wait for a lock." min:"1s"`
}

func newConfig() *Config { return &Config{MaxConnections: 8, Timeout: 30 * time.Second} }

// Validate checks what the tags cannot say.
func (c *Config) Validate(p *component.Problems) {
	switch {
	case !c.DSN.IsSet():
		p.Error("dsn", "which database?", dsnHint[c.Driver])
	case c.Driver != "sqlite":
		c.checkDSN(p)
	}
}

var dsnHint = map[string]string{
	"sqlite":   `Write the path of its file: dsn = "orders.db".`,
	"postgres": `Write dsn = "postgres://user:password@host:5432/database", or better credential("…") with that in it.`,
	"mysql":    `Write dsn = "user:password@tcp(host:3306)/database", or better credential("…") with that in it.`,
}

// checkDSN keeps the text and the drivers' errors out of its messages: there may be a
// password in them.
func (c *Config) checkDSN(p *component.Problems) {
	var err error
	if c.Driver == "postgres" {
		_, err = pgx.ParseConfig(c.DSN.Reveal())
	} else if cfg, e := mysql.ParseDSN(c.DSN.Reveal()); e != nil {
		err = e
	} else if cfg.DBName == "" {
		p.Error("dsn", "which database?", `A dsn for mysql ends in "/" and the name of the database.`)
	}
	if err != nil {
		p.Error("dsn", "not a dsn of "+c.Driver, dsnHint[c.Driver])
	}
}

// Directories is where SQLite writes.
func (c *Config) Directories() []string {
	if c.Driver != "sqlite" {
		return nil
	}
	return []string{filepath.Dir(c.DSN.Reveal())}
}

// Locate makes SQLite's path absolute.
func (c *Config) Locate(dir string) {
	if path := c.DSN.Reveal(); c.Driver == "sqlite" && path != "" && !filepath.IsAbs(path) {
		c.DSN = component.NewSecret(filepath.Join(dir, path))
	}
}

var _ component.Writer = (*Config)(nil)
