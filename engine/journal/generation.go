package journal

import (
	"context"
	"crypto/sha256"
	"database/sql/driver"
	"fmt"
	"time"
)

// Generation is a configuration that ran.
type Generation struct {
	Number int64 // Topology.Generation
	Time   time.Time
	Origin string // how it came: "start", "reload", "rollback"
	Digest string // of what it says
	Files  []ConfigFile
}

// ConfigFile is one file of a configuration, its secrets masked by whoever stores it.
type ConfigFile struct{ Name, Text string }

// keptGenerations is how many are kept: the newest, of which one runs.
const keptGenerations = 200

// record is a generation on its way to the database, its texts packed.
type record struct {
	Generation
	texts []*packedText // of the files
}

// newRecord does all that needs no writer: hashing and packing what is new.
func (j *SQLite) newRecord(ctx context.Context, t *Topology) (*record, error) {
	if t.Record == nil {
		return nil, nil
	}
	r := &record{Generation: *t.Record}
	r.Number = t.Generation
	err := j.read(ctx, func(c *conn) error {
		last, err := newestFiles(c)
		if err != nil {
			return err
		}
		for place, f := range r.Files {
			p := hashText(f.Text)
			if p.known = last[int64(place)] == (storedFile{f.Name, p.hash}); !p.known {
				id, err := c.integer(textFind, p.hash[:])
				if err != nil {
					return fmt.Errorf("look for texts: %w", err)
				}
				p.known = id != 0
			}
			r.texts = append(r.texts, p)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	packTexts(r.texts...)
	return r, nil
}

// storedFile is a file of a generation, its text by its hash.
type storedFile struct {
	name string
	hash [sha256.Size]byte
}

// newestFiles are those of the newest generation, by place.
func newestFiles(c *conn) (map[int64]storedFile, error) {
	files := map[int64]storedFile{}
	const query = "SELECT f.place, f.name, t.hash FROM generation_files f JOIN texts t ON t.id = f.text WHERE f.ended = ?"
	err := c.query(query, []any{forever}, func(r []driver.Value) error {
		f := storedFile{name: text(r[1])}
		copy(f.hash[:], blob(r[2]))
		files[num(r[0])] = f
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read files of the newest generation: %w", err)
	}
	return files, nil
}

// check finds what makes it impossible to store r.
func (r *record) check(w *writer) error {
	if r == nil {
		return nil
	}
	n, err := w.conn.integer("SELECT max(number) FROM generations")
	if err != nil {
		return fmt.Errorf("look for generation: %w", err)
	}
	if r.Number <= n {
		return own(fmt.Errorf("generation %d is not the next one: %d is on record already", r.Number, n))
	}
	return nil
}

func (r *record) store(w *writer) error {
	if r == nil {
		return nil
	}
	err := w.conn.exec("INSERT INTO generations (number, time, origin, digest) VALUES (?, ?, ?, ?)", r.Number, nanos(r.Time), r.Origin, r.Digest)
	if err != nil {
		return fmt.Errorf("write generation: %w", err)
	}
	if err := r.storeFiles(w); err != nil {
		return fmt.Errorf("write files of generation: %w", err)
	}
	if err := w.pruneGenerations(); err != nil {
		return fmt.Errorf("delete old generations: %w", err)
	}
	return nil
}

// storeFiles writes the files that are not as in the generation before.
func (r *record) storeFiles(w *writer) error {
	last, err := newestFiles(w.conn)
	if err != nil {
		return err
	}
	var changed []int
	for place, f := range r.Files {
		if last[int64(place)] == (storedFile{f.Name, r.texts[place].hash}) {
			delete(last, int64(place))
		} else {
			changed = append(changed, place)
		}
	}
	for place := range last {
		if err := w.conn.exec("UPDATE generation_files SET ended = ? WHERE ended = ? AND place = ?", r.Number, forever, place); err != nil {
			return err
		}
	}
	for _, place := range changed {
		id, err := w.text(r.texts[place])
		if err != nil {
			return err
		}
		err = w.conn.exec("INSERT INTO generation_files (ended, place, since, name, text) VALUES (?, ?, ?, ?, ?)", forever, place, r.Number, r.Files[place].Name, id)
		if err != nil {
			return err
		}
	}
	return nil
}

// pruneGenerations deletes what is older than those that are kept.
func (w *writer) pruneGenerations() error {
	oldest, err := w.conn.integer("SELECT number FROM generations ORDER BY number DESC LIMIT 1 OFFSET ?", keptGenerations-1)
	if err != nil || oldest == 0 {
		return err
	}
	texts, err := w.conn.integers("SELECT DISTINCT text FROM generation_files WHERE ended <= ?", oldest)
	if err != nil {
		return err
	}
	for _, query := range []string{"DELETE FROM generation_files WHERE ended <= ?", "DELETE FROM generations WHERE number < ?"} {
		if err := w.conn.exec(query, oldest); err != nil {
			return err
		}
	}
	for _, id := range texts {
		err := w.conn.exec("DELETE FROM texts WHERE id = ? AND NOT EXISTS (SELECT 1 FROM generation_files WHERE text = texts.id)", id)
		if err != nil {
			return err
		}
	}
	return nil
}

const generationColumns = "SELECT number, time, origin, digest FROM generations "

func readGeneration(r []driver.Value) Generation {
	return Generation{Number: num(r[0]), Time: fromNanos(num(r[1])), Origin: text(r[2]), Digest: text(r[3])}
}

// Generations implements Journal.
func (j *SQLite) Generations(ctx context.Context, limit int) (list []Generation, err error) {
	if limit <= 0 {
		limit = -1
	}
	err = j.read(ctx, func(c *conn) error {
		return c.query(generationColumns+"ORDER BY number DESC LIMIT ?", []any{limit}, func(r []driver.Value) error {
			list = append(list, readGeneration(r))
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list generations: %w", err)
	}
	return list, nil
}

// Generation implements Journal.
func (j *SQLite) Generation(ctx context.Context, number int64) (g Generation, err error) {
	var bodies [][]byte
	found := false
	err = j.read(ctx, func(c *conn) error {
		err := c.query(generationColumns+"WHERE number = ?", []any{number}, func(r []driver.Value) error {
			g, found = readGeneration(r), true
			return nil
		})
		if err != nil {
			return err
		}
		if !found {
			return ErrNotFound
		}
		const query = "SELECT f.name, t.body FROM generation_files f JOIN texts t ON t.id = f.text WHERE f.since <= ?1 AND f.ended > ?1 ORDER BY f.place"
		return c.query(query, []any{number}, func(r []driver.Value) error {
			g.Files = append(g.Files, ConfigFile{Name: text(r[0])})
			bodies = append(bodies, blob(r[1]))
			return nil
		})
	})
	if err == nil {
		err = unpackTexts(g.Files, bodies)
	}
	if err != nil {
		return Generation{}, fmt.Errorf("read generation %d: %w", number, err)
	}
	return g, nil
}
