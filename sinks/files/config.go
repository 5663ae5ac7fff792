package files

import (
	"fmt"
	"path"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/format"
	"github.com/syncd/syncd/engine/records"
)

// Config is a sink "files" block.
type Config struct {
	Connection component.Ref  `hcl:"connection" ref:"connection.sftp" doc:"Where the files are; without it, on this machine." example:"connection.sftp.partner"`
	Path       expr.Template  `hcl:"path,required" escape:"file" path:"place" doc:"The file, or one for each value of its holes; directories are made." example:"\"out/{{ formatTime(event.time, '2006-01-02', 'UTC') }}.csv\""`
	Format     records.Format `hcl:"format,oneof" doc:"What a record looks like; without it, ndjson."`
	Roll       *Roll          `hcl:"roll,block" doc:"Writes .NAME.part and publishes it as NAME when it is complete; a taken name gets -2. Without it, records appear in the file itself."`
	DoneMarker expr.Template  `hcl:"done_marker" escape:"file" doc:"An empty file that is made once a complete file has its name, beside it; needs roll. It sees meta.file.name alone." example:"\"{{ meta.file.name }}.ok\""`
	OnShrunk   string         `hcl:"on_shrunk" enum:"error|new" doc:"What to do with a file that is shorter than it was, or gone: stop and say so, or begin anew."`
}

// Roll says when a file is complete: whichever comes first.
type Roll struct {
	Every time.Duration  `hcl:"every" doc:"The file is complete so long after its first record." min:"1s" example:"\"24h\""`
	Size  component.Size `hcl:"size" doc:"The file is complete when it has reached this size." min:"1KiB" example:"\"100MiB\""`
	Rows  int64          `hcl:"rows" doc:"The file is complete when it holds so many records." min:"1" example:"100000"`
}

func newConfig() *Config { return &Config{OnShrunk: "error"} }

// Validate checks what the tags cannot say.
func (c *Config) Validate(p *component.Problems) {
	_, literal := c.Path.Literal()
	switch {
	case c.Format.HasEnd() && c.Roll == nil:
		p.Error("format."+c.Format.Name(), c.Format.Name()+" needs roll", "Such a document has an end: say when with a roll block, or write ndjson.")
	case c.Roll != nil && *c.Roll == Roll{}:
		p.Error("roll", "roll by what?", "Give at least one of every, size and rows.")
	case c.Roll != nil && c.Roll.Every == 0 && !literal:
		p.Warn("roll", "a file may never be complete", "A file of this path that stops growing before size or rows is reached is never published: give every as well.")
	}
	c.Format.ForWriting(p, "format")
	c.checkMarker(p)
}

func (c *Config) checkMarker(p *component.Problems) {
	if !c.DoneMarker.IsSet() {
		return
	}
	if c.Roll == nil {
		p.Error("done_marker", "done_marker needs roll", "Without roll a file is never complete: say with a roll block when it is.")
	}
	const name = "orders.csv"
	for _, of := range []string{"body", "event", "vars", "parent"} {
		if c.DoneMarker.Uses(of) {
			p.Error("done_marker", "a file is not one event", fmt.Sprintf("It holds those of many, so that there is no %s: write it with meta.file.name.", of))
			return
		}
	}
	switch marker, err := c.marker(name); {
	case err != nil:
		p.Error("done_marker", "not a name for a marker", err.Error()+".")
	case path.Clean(marker) == name || marker == "":
		p.Error("done_marker", "a marker needs a name of its own", `Write "{{ meta.file.name }}.ok", say.`)
	}
}

// Claims keeps two sinks off one file.
func (c *Config) Claims() []component.Claim {
	at, ok := c.Path.Literal()
	if !ok {
		return nil
	}
	what := "the file " + path.Clean(at)
	if c.Connection.IsSet() {
		what += " at " + string(c.Connection.Address)
	}
	return []component.Claim{{Attr: "path", What: what}}
}

// writer makes records of a format, which the file may have from an earlier
// configuration; columns are those of the file.
func (c *Config) writer(name string, columns []string) format.Writer {
	if name == c.Format.Name() {
		if w, err := c.Format.NewWriter(columns); err == nil { // open has seen that there is none
			return w
		}
	}
	return records.Ending(name, columns)
}
