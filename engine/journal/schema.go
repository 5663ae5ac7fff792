package journal

import (
	"errors"
	"fmt"
	"strings"
)

// applicationID marks our database files ("sync" in ASCII; PRAGMA application_id).
const applicationID = 0x73796e63

// migrations lead from one schema version to the next: the first makes version 1
// from an empty file. A released one is never changed.
var migrations = []string{schema1, schema2, schema3}

// schema1 is the first schema. A frame's id is source<<positionBits | first, so
// that one tree serves inserts, scans and look-ups; size is its payload, bytes the
// source's up to its end. A track is a lane's way
// through one source, a feed a flow's; ended ones are kept while accounts need them.
const schema1 = `
CREATE TABLE sources (
	id INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE,
	head INTEGER NOT NULL, bytes INTEGER NOT NULL,
	duplicates INTEGER NOT NULL, refused INTEGER NOT NULL, unrouted INTEGER NOT NULL, last INTEGER NOT NULL);
CREATE TABLE frames (
	id INTEGER PRIMARY KEY, count INTEGER NOT NULL, size INTEGER NOT NULL, bytes INTEGER NOT NULL, time INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE feeds (
	id INTEGER PRIMARY KEY, flow TEXT NOT NULL, source INTEGER NOT NULL,
	start INTEGER NOT NULL, folded INTEGER NOT NULL, ended INTEGER NOT NULL,
	delivered INTEGER NOT NULL, filtered INTEGER NOT NULL, dropped INTEGER NOT NULL);
CREATE TABLE tracks (
	id INTEGER PRIMARY KEY, feed INTEGER NOT NULL, sink TEXT NOT NULL,
	start INTEGER NOT NULL, low INTEGER NOT NULL, bytes INTEGER NOT NULL, ended INTEGER NOT NULL, given_up INTEGER NOT NULL);
CREATE TABLE outcomes (
	track INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, body BLOB NOT NULL,
	PRIMARY KEY (track, first)) WITHOUT ROWID;
CREATE TABLE exceptions (
	id INTEGER PRIMARY KEY AUTOINCREMENT, track INTEGER NOT NULL, source INTEGER NOT NULL,
	position INTEGER NOT NULL, path TEXT NOT NULL, event_id TEXT NOT NULL, event_time INTEGER NOT NULL,
	step TEXT NOT NULL, envelope BLOB, order_key TEXT NOT NULL, attempts INTEGER NOT NULL,
	since INTEGER NOT NULL, next INTEGER NOT NULL, dead INTEGER NOT NULL, errors TEXT NOT NULL);
CREATE UNIQUE INDEX exceptions_key ON exceptions (track, position, path) WHERE track <> 0;
CREATE INDEX exceptions_event ON exceptions (source, position);
CREATE TABLE scopes (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE state (
	scope INTEGER NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, expires INTEGER NOT NULL,
	PRIMARY KEY (scope, key)) WITHOUT ROWID;
CREATE INDEX state_expires ON state (expires) WHERE expires <> 0;
`

// schema2 adds what reloads need: the configurations that ran, their texts stored
// once each, and the origins of flows and sinks, which so far are their names. A file
// has a row for all generations, one after the other, in which it stands at its place
// as it is: those from since to before ended. So a reload writes what has changed,
// however many files there are.
const schema2 = `
CREATE TABLE generations (number INTEGER PRIMARY KEY, time INTEGER NOT NULL, origin TEXT NOT NULL, digest TEXT NOT NULL);
CREATE TABLE generation_files (
	ended INTEGER NOT NULL, place INTEGER NOT NULL, since INTEGER NOT NULL, name TEXT NOT NULL, text INTEGER NOT NULL,
	PRIMARY KEY (ended, place)) WITHOUT ROWID;
CREATE TABLE texts (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, body BLOB NOT NULL);
CREATE TABLE origins (address TEXT PRIMARY KEY, origin TEXT NOT NULL UNIQUE) WITHOUT ROWID;
INSERT INTO origins (address, origin)
	SELECT f.flow, f.flow FROM feeds f JOIN tracks t ON t.feed = f.id WHERE t.ended = 9223372036854775807
	UNION SELECT sink, sink FROM tracks WHERE ended = 9223372036854775807 AND sink <> '';
`

// schema3 adds the names of payloads and envelopes that are files beside the database, and
// parts of envelopes that exceptions share; those go with the last of them. unneeded are
// files that an exception needs no more. One event may have very many exceptions, so
// that one of them is looked for by its path, too.
const schema3 = `
ALTER TABLE frames ADD COLUMN blob TEXT;
CREATE INDEX frames_blob ON frames (blob) WHERE blob IS NOT NULL;
CREATE TABLE shared (id INTEGER PRIMARY KEY AUTOINCREMENT, hash BLOB NOT NULL UNIQUE, body BLOB NOT NULL);
ALTER TABLE exceptions ADD COLUMN shared INTEGER;
ALTER TABLE exceptions ADD COLUMN blob TEXT;
CREATE TABLE unneeded (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE INDEX exceptions_blob ON exceptions (blob) WHERE blob IS NOT NULL;
CREATE TRIGGER blob_deleted AFTER DELETE ON exceptions WHEN old.blob IS NOT NULL BEGIN INSERT OR IGNORE INTO unneeded VALUES (old.blob); END;
CREATE TRIGGER blob_changed AFTER UPDATE OF blob ON exceptions WHEN old.blob IS NOT NULL AND old.blob IS NOT new.blob BEGIN INSERT OR IGNORE INTO unneeded VALUES (old.blob); END;
DROP INDEX exceptions_event;
CREATE INDEX exceptions_event ON exceptions (source, position, path);
CREATE INDEX exceptions_shared ON exceptions (shared) WHERE shared IS NOT NULL;
CREATE TRIGGER shared_deleted AFTER DELETE ON exceptions WHEN old.shared IS NOT NULL BEGIN
	DELETE FROM shared WHERE id = old.shared AND NOT EXISTS (SELECT 1 FROM exceptions WHERE shared = old.shared); END;
CREATE TRIGGER shared_changed AFTER UPDATE OF shared ON exceptions WHEN old.shared IS NOT NULL AND old.shared IS NOT new.shared BEGIN
	DELETE FROM shared WHERE id = old.shared AND NOT EXISTS (SELECT 1 FROM exceptions WHERE shared = old.shared); END;
`

// prepare brings a database to the schema of this program.
func prepare(c *conn) error {
	version, err := c.integer("PRAGMA user_version")
	if err != nil {
		return err
	}
	if version > int64(len(migrations)) {
		return fmt.Errorf("it was written by a newer syncd (schema %d; this one knows %d): run that version or newer again", version, len(migrations))
	}
	app, err := c.integer("PRAGMA application_id")
	if err != nil {
		return err
	}
	if app != applicationID && version > 0 {
		return fmt.Errorf("it is a database of another program: choose another state directory")
	}
	for v := int(version); v < len(migrations); v++ {
		if err := migrate(c, v); err != nil {
			return fmt.Errorf("migrate to schema %d: %w", v+1, err)
		}
	}
	return nil
}

// migrate takes one step, whole or not at all.
func migrate(c *conn, from int) error {
	if err := c.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	script := migrations[from] + fmt.Sprintf("PRAGMA user_version = %d;\nPRAGMA application_id = %d;\n", from+1, applicationID)
	for _, stmt := range strings.Split(script, ";\n") {
		if strings.TrimSpace(stmt) == "" {
			continue
		}
		if err := c.exec(stmt); err != nil {
			return errors.Join(err, c.exec("ROLLBACK"))
		}
	}
	return c.exec("COMMIT")
}
