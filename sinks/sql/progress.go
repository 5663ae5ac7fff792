package sql

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/sql"
)

// A delivery has its effect once: the transaction that has it also writes, into
// syncd_progress, a row that names all deliveries of the transaction. What the
// journal knows as settled is on record in the sink's state, by the names of such
// rows; the next transaction removes them. So after a crash, or when nobody knows
// whether a commit came through, the rows that are there and not on record name what
// was done and comes again.
//
// A connection may break while its transaction still goes on at the server. Each
// transaction therefore begins with a change of the sink's own row, the fence, and so
// does reading: it waits for what is under way, and sees how that ended. To PostgreSQL a
// whole transaction goes in one piece, which a server that is slow may begin to read when
// nobody waits for it any more: so reading also puts a token into the fence, and a
// transaction that finds another one there than its own does nothing.

// progressTable is made beside the first table that needs it.
const progressTable = "syncd_progress"

var progressDDL = map[conn.Dialect]string{
	conn.Postgres: `CREATE TABLE IF NOT EXISTS syncd_progress (batch text PRIMARY KEY, sink text NOT NULL, at timestamptz NOT NULL, members bytea NOT NULL)`,
	conn.MySQL:    `CREATE TABLE IF NOT EXISTS syncd_progress (batch varchar(64) CHARACTER SET ascii PRIMARY KEY, sink text NOT NULL, at datetime(6) NOT NULL, members mediumblob NOT NULL) ENGINE=InnoDB`,
	conn.SQLite:   `CREATE TABLE IF NOT EXISTS syncd_progress (batch text PRIMARY KEY, sink text NOT NULL, at text NOT NULL, members blob NOT NULL)`,
}

var fenceSQL = map[conn.Dialect]string{
	conn.Postgres: `INSERT INTO syncd_progress VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
	conn.MySQL:    `INSERT IGNORE INTO syncd_progress VALUES (?, ?, ?, ?)`,
	conn.SQLite:   `INSERT OR IGNORE INTO syncd_progress VALUES (?, ?, ?, ?)`,
}

// id is a delivery's, shortened.
type id [16]byte

func idOf(delivery string) id {
	sum := sha256.Sum256([]byte(delivery))
	return id(sum[:16])
}

// tokenSize is one that no ids have together: a fence names no deliveries.
const tokenSize = 12

// stateKey is where the names of settled rows stand in the sink's state.
const stateKey = "settled"

// progress is what one sink knows of syncd_progress.
type progress struct {
	db    *conn.DB
	sink  string
	fence string
	token []byte // in the fence since it was read last

	settled   []string       // rows that are on record as settled, and not removed yet
	unsettled [][]string     // those of the last calls, which may not be on record yet
	done      map[id]string  // deliveries that come again, and the row that names them
	left      map[string]int // how many of a row's have not come yet
}

func newProgress(db *conn.DB, sink component.Address) *progress {
	sum := sha256.Sum256([]byte(sink))
	return &progress{db: db, sink: string(sink), fence: "fence " + hex.EncodeToString(sum[:12])}
}

// load reads anew, once everything that this sink has begun has ended.
func (p *progress) load(ctx context.Context, state component.State) error {
	p.settled = nil
	if _, err := state.Get(ctx, stateKey, &p.settled); err != nil {
		return fmt.Errorf("read progress: %w", err)
	}
	p.done, p.left = map[id]string{}, map[string]int{}
	if err := p.setUp(ctx); err != nil {
		return err
	}
	tx, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		return p.db.Explain(err)
	}
	defer func() { _ = tx.Rollback() }() // nothing, after a commit
	p.token = []byte(rand.Text())[:tokenSize]
	if _, err := tx.ExecContext(ctx, p.set("at", "members"), p.now(), p.token, p.fence); err != nil {
		return p.db.Explain(err)
	}
	if err := p.read(ctx, tx); err != nil {
		return p.db.Explain(err)
	}
	return p.db.Explain(tx.Commit())
}

// setUp makes the table and the fence.
func (p *progress) setUp(ctx context.Context) error {
	args := []any{p.fence, p.sink, p.now(), []byte{}}
	if _, err := p.db.ExecContext(ctx, fenceSQL[p.db.Dialect], args...); err == nil || !conn.IsNoTable(err) {
		return p.db.Explain(err)
	}
	ddl := progressDDL[p.db.Dialect]
	if _, err := p.db.ExecContext(ctx, ddl); err != nil {
		return component.Unwell(fmt.Errorf("make the table that keeps deliveries from being done twice: %w; let somebody who may run: %s", p.db.Explain(err), ddl))
	}
	_, err := p.db.ExecContext(ctx, fenceSQL[p.db.Dialect], args...)
	return p.db.Explain(err)
}

func (p *progress) read(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, "SELECT batch, members FROM "+progressTable)
	if err != nil {
		return err
	}
	defer rows.Close()
	over := p.over()
	for rows.Next() {
		var batch string
		var members []byte
		if err := rows.Scan(&batch, &members); err != nil {
			return err
		}
		if !slices.Contains(over, batch) {
			p.recall(batch, members)
		}
	}
	return rows.Err()
}

func (p *progress) recall(batch string, members []byte) {
	for member := range slices.Chunk(members, len(id{})) {
		if len(member) == len(id{}) {
			p.done[id(member)] = batch
			p.left[batch]++
		}
	}
}

// isDone tells whether a delivery has had its effect. When the last one of a row has
// been asked for, the row is of no use once that is settled.
func (p *progress) isDone(d id, call *call) bool {
	batch, ok := p.done[d]
	if !ok {
		return false
	}
	delete(p.done, d)
	if p.left[batch]--; p.left[batch] == 0 {
		delete(p.left, batch)
		call.made = append(call.made, batch)
	}
	return true
}

// call gathers what a call of the sink does to the table.
type call struct {
	made []string // rows that are settled with the call
}

// end gives what is on record with the call's settlement.
func (p *progress) end(c *call) []component.Put {
	if len(c.made) == 0 {
		return nil
	}
	p.unsettled = append(p.unsettled, c.made)
	return []component.Put{{Key: stateKey, Value: p.over()}}
}

// over are the rows that name nothing which comes again.
func (p *progress) over() []string {
	return slices.Concat(p.settled, slices.Concat(p.unsettled...))
}

// settle takes note that what calls did is on record, but for the last few of them.
func (p *progress) settle(last int) {
	for len(p.unsettled) > last {
		p.settled = append(p.settled, p.unsettled[0]...)
		p.unsettled = p.unsettled[1:]
	}
}

func (p *progress) now() string { return time.Now().UTC().Format(localTime) }

// set is the statement that changes columns of a row.
func (p *progress) set(columns ...string) string {
	sets := make([]string, len(columns))
	for i, c := range columns {
		sets[i] = c + " = " + p.db.Dialect.Param(i+1)
	}
	return "UPDATE " + progressTable + " SET " + strings.Join(sets, ", ") + " WHERE batch = " + p.db.Dialect.Param(len(columns)+1)
}

// entry is a row of the table.
type entry struct {
	batch   string
	members []byte
}

func newEntry(rows []row) entry {
	e := entry{batch: rand.Text(), members: make([]byte, 0, len(rows)*len(id{}))}
	for i := range rows {
		e.members = append(e.members, rows[i].id[:]...)
	}
	return e
}

// begin is the first thing that a transaction does.
func (p *progress) begin(ctx context.Context, tx *sql.Tx, e entry) error {
	if _, err := tx.ExecContext(ctx, p.set("at"), p.now(), p.fence); err != nil {
		return err
	}
	for _, batch := range p.settled {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+progressTable+" WHERE batch = ?", batch); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO "+progressTable+" VALUES (?, ?, ?, ?)", e.batch, p.sink, p.now(), e.members)
	return err
}

// takenOver is the SQLSTATE of a transaction that finds another token in the fence.
const takenOver = "SY001"

// isTakenOver tells whether another has read the progress since we have: a second daemon
// with a sink of this name.
func isTakenOver(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == takenOver
}

// beginText is begin and the transaction's BEGIN for PostgreSQL, in one go.
func (p *progress) beginText(e entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, `BEGIN; DO $$ BEGIN UPDATE %s SET at = now() WHERE batch = '%s' AND members = '\x%x';
		IF NOT FOUND THEN RAISE 'another syncd has a sink of this name on this database' USING ERRCODE = '%s'; END IF; END $$; `, progressTable, p.fence, p.token, takenOver)
	for _, batch := range p.settled {
		fmt.Fprintf(&b, "DELETE FROM %s WHERE batch = '%s'; ", progressTable, strings.ReplaceAll(batch, "'", "''"))
	}
	fmt.Fprintf(&b, `INSERT INTO %s VALUES ('%s', '%s', now(), '\x%s')`, progressTable, e.batch, strings.ReplaceAll(p.sink, "'", "''"), hex.EncodeToString(e.members))
	return b.String()
}

var errNoRow = errors.New("no row has this key: there is nothing to update")
