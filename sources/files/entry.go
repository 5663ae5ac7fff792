package files

import (
	"context"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/files"
	"github.com/syncd/syncd/engine/format"
)

// Where a file stands.
const (
	reading = "reading" // records up to At are events
	read    = "read"    // all are; it is to be moved to To, or deleted
	done    = "done"    // and stays where it is
	failed  = "failed"  // the same, and was given up
)

// entry is what the ledger keeps of one file. It is committed with the events that
// it covers.
type entry struct {
	Size    int64    `json:"size"`
	Time    int64    `json:"time"` // of its last change, Unix nanoseconds
	ID      string   `json:"id,omitempty"`
	State   string   `json:"state"`
	At      position `json:"at,omitzero"`
	Faults  int64    `json:"faults,omitempty"`  // records that could not be read
	Checked bool     `json:"checked,omitempty"` // atomic: all of it can be read
	Hash    string   `json:"hash,omitempty"`    // of all that it holds, once that has been read
	Failed  bool     `json:"failed,omitempty"`
	Goal    string   `json:"goal,omitempty"` // where after.move or after.failed sends it; "": it is deleted
	To      string   `json:"to,omitempty"`   // the same, under a name that was free
	Until   int64    `json:"until"`          // Unix seconds: when the entry expires
}

// position is a place within a file behind which nothing has been read.
type position struct {
	Document int    `json:"document,omitempty"` // of an archive, from 0
	Row      int64  `json:"row,omitempty"`
	Line     int64  `json:"line,omitempty"`
	End      int64  `json:"end,omitempty"` // 0: its format can go on only by counting rows
	EndLine  int64  `json:"end_line,omitempty"`
	Hashed   int64  `json:"hashed,omitempty"` // so many bytes of the document have the sum
	Sum      []byte `json:"sum,omitempty"`    // state of the hash
}

func (p position) any() bool { return p.Document > 0 || p.Row > 0 }

func (p position) place() format.Place {
	return format.Place{Row: p.Row, Line: p.Line, End: p.End, EndLine: p.EndLine}
}

func (p *position) reaches(at format.Place) {
	p.Row, p.Line, p.End, p.EndLine = at.Row, at.Line, at.End, at.EndLine
}

// Entries outlive the files that they tell of for as long as nobody can tell that
// those are gone: a daemon that was off for a year must not read anything twice.
const (
	keepEntry = 400 * 24 * time.Hour
	renewAt   = 300 * 24 * time.Hour // what is left when an entry is renewed
	keepGone  = 30 * 24 * time.Hour  // once the file was seen to be gone
)

func ledgerKey(path string) string { return "file/" + path }

// of tells whether the file that i describes is, for all that can be told without
// reading it, the one of the entry.
func (e *entry) of(i files.Info) bool {
	return e.Size == i.Size && e.Time == i.ModTime.UnixNano() && (e.ID == "" || i.ID == "" || e.ID == i.ID)
}

// becomes makes the entry one of the file that i describes.
func (e *entry) becomes(i files.Info) { e.Size, e.Time, e.ID = i.Size, i.ModTime.UnixNano(), i.ID }

func (e *entry) settled() bool { return e.State == done || e.State == failed }

// put is the entry as it is committed.
func (r *run) put(path string, e *entry, keep time.Duration) component.Put {
	until := r.env.Now().Add(keep)
	e.Until = until.Unix()
	return component.Put{Key: ledgerKey(path), Value: *e, Expires: until}
}

// store commits an entry alone.
func (r *run) store(ctx context.Context, f *file, e entry) error {
	if err := r.accept(ctx, nil, r.put(f.path, &e, keepEntry)); err != nil {
		return err
	}
	f.entry = &e
	return nil
}

// forget ends the entry of a file that is gone.
func (r *run) forget(ctx context.Context, f *file) error {
	if err := r.accept(ctx, nil, component.Put{Key: ledgerKey(f.path)}); err != nil {
		return err
	}
	f.entry = nil
	return nil
}

// load reads what the ledger says of f, once.
func (r *run) load(ctx context.Context, f *file) error {
	if f.loaded {
		return nil
	}
	var e entry
	ok, err := r.in.Get(ctx, ledgerKey(f.path), &e)
	if err != nil {
		return err
	}
	if ok {
		f.entry = &e
	}
	f.loaded = true
	return nil
}
