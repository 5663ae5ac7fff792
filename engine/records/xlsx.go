package records

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/format"
)

// XLSX says where the table stands in a workbook.
type XLSX struct {
	Sheet    string   `hcl:"sheet" doc:"The sheet's name. Reading: without it, the first one. Writing: without it, Sheet1." example:"\"Orders\""`
	Header   bool     `hcl:"header" doc:"Whether the first row has the names of the columns."`
	Columns  []string `hcl:"columns" doc:"The columns, in order. Reading with a header: those that it must have. Writing: the fields; default: those of the flow's last map, else those of the first record, sorted." example:"[\"order_id\", \"total\"]"`
	Skip     int      `hcl:"skip" doc:"Reading: how many rows stand above the table." min:"0" max:"1000" example:"3"`
	Dates    []string `hcl:"dates" doc:"Writing: columns whose texts, 2026-01-02 or as RFC 3339 writes a time, become dates of Excel." example:"[\"ordered_at\"]"`
	Timezone string   `hcl:"timezone" doc:"In which cells show a date and a time; Excel does not say." example:"\"Europe/Berlin\""`
}

// SetDefaults fills in what is not given.
func (x *XLSX) SetDefaults() { x.Header, x.Timezone = true, "UTC" }

func (x *XLSX) name() string { return "xlsx" }

// maxWorkbook bounds what is copied to a temporary file.
const maxWorkbook = 1 << 30

func (x *XLSX) reader(r io.Reader) (format.Reader, error) {
	if at, ok := r.(io.ReaderAt); ok {
		if seeker, ok := r.(io.Seeker); ok {
			size, err := seeker.Seek(0, io.SeekEnd)
			if err != nil {
				return nil, err
			}
			return format.NewXLSXReader(at, size, x.options())
		}
	}
	tmp, size, err := spool(r)
	if err != nil {
		return nil, err
	}
	reader, err := format.NewXLSXReader(tmp, size, x.options())
	if err != nil {
		return nil, errors.Join(err, tmp.Close())
	}
	return &spooled{reader, tmp}, nil
}

func (x *XLSX) options() format.Sheet {
	return format.Sheet{Name: x.Sheet, Skip: x.Skip, NoHeader: !x.Header, Columns: x.Columns, Zone: zone(x.Timezone)}
}

func (x *XLSX) one([]byte, []string) (format.Reader, error) {
	return nil, errors.New("read the row again: it has no text; correct the file and hand it in again")
}

// spooled is a reader with a temporary file, which has no name any more.
type spooled struct {
	*format.XLSXReader
	file *os.File
}

// Close removes the file.
func (s *spooled) Close() error { return errors.Join(s.XLSXReader.Close(), s.file.Close()) }

func spool(r io.Reader) (*os.File, int64, error) {
	f, err := os.CreateTemp("", "syncd-*.xlsx")
	if err != nil {
		return nil, 0, fmt.Errorf("make a temporary file: %w", err)
	}
	n, err := io.Copy(f, io.LimitReader(r, maxWorkbook+1))
	if n > maxWorkbook {
		err = fmt.Errorf("a workbook may have %d MiB", maxWorkbook>>20)
	}
	if err := errors.Join(err, os.Remove(f.Name())); err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, n, nil
}

// Validate checks what the tags cannot say.
func (x *XLSX) Validate(p *component.Problems) {
	if _, err := time.LoadLocation(x.Timezone); err != nil {
		p.Error("timezone", "unknown time zone", `Write its name in the IANA database, such as "Europe/Berlin".`)
	}
	unique(p, x.Columns)
}
