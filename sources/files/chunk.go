package files

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/format"
)

// chunk is what is committed together: records, and the position behind them.
type chunk struct {
	drafts []component.Draft
	faults int64
	at     position
	in     *input // that the last record came from
	bytes  int64  // of the document, that its records took
	last   bool   // with it the file has been read
	fault  error  // what the file fails of
	hash   string // of all that the file holds, with the last
}

// What a chunk holds at most: few enough that memory stays small, and many enough
// that syncing to disk does not count. All of a file that is atomic and small goes
// into one.
const (
	chunkRows, chunkBytes   = 2000, 1 << 20
	atomicRows, atomicBytes = 20_000, 4 << 20
)

// maker makes drafts of the records of one document.
type maker struct {
	path  string
	head  []byte // of their meta, up to the row
	metas []byte // room for more
}

const metaRoom = 64 << 10 // far more than the meta of a row

func newMaker(f *file, member string) *maker {
	about, err := json.Marshal(f.meta(member))
	if err != nil {
		panic(err) // texts and a number
	}
	return &maker{path: f.path, head: append(append([]byte(`{"file":`), about...), `,"row":`...)}
}

// meta of a row. Many share the room of one allocation.
func (m *maker) meta(row int64) []byte {
	if need := len(m.head) + 24; cap(m.metas)-len(m.metas) < need {
		m.metas = make([]byte, 0, min(metaRoom, max(2*cap(m.metas), 4*need)))
	}
	from := len(m.metas)
	m.metas = append(m.metas, m.head...)
	m.metas = append(strconv.AppendInt(m.metas, row, 10), '}')
	return m.metas[from:len(m.metas):len(m.metas)]
}

func (m *maker) record(r format.Record) component.Draft { return draft(r, m.meta(r.Place.Row)) }

// faulty is a record that cannot be read.
func (m *maker) faulty(e *format.RecordError, member string) component.Draft {
	return component.Draft{Raw: e.Raw, Names: e.Names, RawMeta: m.meta(e.Place.Row), Fault: &recordFault{m.path, member, e}}
}

// recordFault is why a record of a file cannot be read.
type recordFault struct {
	path, member string
	err          *format.RecordError
}

// Place is the file and where in it the record stands.
func (f *recordFault) Place() string {
	at := f.path
	if f.member != "" {
		at += ": " + f.member
	}
	if f.err.Place.Line > 0 {
		return fmt.Sprintf("%s: line %d", at, f.err.Place.Line)
	}
	return fmt.Sprintf("%s: record %d", at, f.err.Place.Row)
}

func (f *recordFault) Error() string {
	if f.member != "" {
		return fmt.Sprintf("%s: %s: %v", f.path, f.member, f.err)
	}
	return fmt.Sprintf("%s: %v", f.path, f.err)
}
