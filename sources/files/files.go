// Package files is the source that reads files which others put somewhere: on this
// machine's disk, or on a server behind a connection.
package files

import (
	_ "embed"
	"path"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/records"
	"github.com/syncd/syncd/engine/schedule"
)

//go:embed page.md
var page string

// Kind declares source "files".
func Kind() component.Kind {
	hub := &hub{}
	open := func(env component.Env, c *Config) (component.Source, error) { return open(env, c, hub) }
	return component.SourceKind("files", "Reads the records of files that others put into a directory, here or on a server.", newConfig, open).WithPage(page)
}

// Config is the block of a files source.
type Config struct {
	Connection component.Ref `hcl:"connection,identity" ref:"connection.sftp" doc:"The server that the files lie on; left out, they are on this machine's disk, which is watched beside the schedule."`
	Path       string        `hcl:"path,required,identity" path:"place" doc:"The directory that files are put into." example:"\"/srv/outgoing\""`
	Match      string        `hcl:"match" doc:"Which files below path are read: * and ? stay within one directory, ** reaches into all, {csv,txt} is either. Names that begin with a dot are left alone unless match names a dot." example:"\"**/*.csv\""`
	schedule.Config
	Settle      time.Duration  `hcl:"settle" min:"0s" doc:"How long size and time of a file must stay the same for its upload to be over."`
	DoneMarker  expr.Template  `hcl:"done_marker" escape:"file" doc:"The name of a companion in the same directory: a file is not read before that is there." example:"\"{{ meta.file.name }}.ok\""`
	MaxErrors   int64          `hcl:"max_errors" min:"0" doc:"So many records that cannot be read make the file fail: it is not read on. What was accepted stays. 0: any number."`
	MaxUnpacked component.Size `hcl:"max_unpacked" min:"1MiB" doc:"How large what a compressed file holds may be; of an archive, each of its members."`
	Atomic      bool           `hcl:"atomic" doc:"true: all of a file is checked before its first record is accepted, and one that cannot be read makes the file fail with none accepted."`
	Format      records.Format `hcl:"format,oneof" doc:"What the files hold."`
	After       After          `hcl:"after,block" doc:"What becomes of a file that has been read; without it, files stay and are remembered."`
}

// After says what becomes of a file.
type After struct {
	Move   expr.Template `hcl:"move" escape:"file" path:"place" doc:"Where a file that has been read is moved to; a name that is taken gets -2." example:"\"/srv/outgoing/done/{{ meta.file.name }}\""`
	Delete bool          `hcl:"delete" doc:"true: a file that has been read is deleted."`
	Failed expr.Template `hcl:"failed" escape:"file" path:"place" doc:"Where a file is moved to that cannot be read to its end; without it, it stays where it is." example:"\"/srv/outgoing/failed/{{ meta.file.name }}\""`
}

func newConfig() *Config {
	return &Config{Match: "*", Settle: 10 * time.Second, MaxErrors: 100, MaxUnpacked: 10 << 30}
}

// Validate checks what tags cannot say.
func (c *Config) Validate(p *component.Problems) {
	c.Check(p, false)
	if !doublestar.ValidatePattern(c.Match) {
		p.Error("match", "not a pattern", "A bracket or brace is not closed, or what it holds is empty. A character with a meaning of its own is written after a backslash.")
	}
	if strings.HasPrefix(c.Match, "/") || strings.Contains("/"+c.Match, "/../") {
		p.Error("match", "match reaches outside of path", `It is matched with what stands below path: "**/*.csv".`)
	}
	if strings.Contains(c.DoneMarker.Prefix(), "/") {
		p.Error("done_marker", "a path where a name belongs", "The marker stands in the directory of its file.")
	}
	if c.Format == (records.Format{}) {
		p.Error("", "which format?", `Say what the files hold: format "csv" {}.`)
	}
	if c.After.Move.IsSet() && c.After.Delete {
		p.Error("after.delete", "both move and delete", "A file that has been read is moved or deleted. Take one out.")
	}
}

// Claims keep two sources from moving the same files away.
func (c *Config) Claims() []component.Claim {
	if !c.After.Move.IsSet() && !c.After.Delete {
		return nil
	}
	where := path.Join(c.Path, c.Match)
	if c.Connection.IsSet() {
		where += " on " + string(c.Connection.Address)
	}
	return []component.Claim{{Attr: "path", What: "what is moved away from " + where}}
}

// ours are the directories below the path that files are moved to, relative to it:
// nothing in them is read.
func (c *Config) ours() []string {
	var dirs []string
	for _, t := range []expr.Template{c.After.Move, c.After.Failed} {
		if below, ok := strings.CutPrefix(path.Dir(t.Prefix()+"x"), c.Path+"/"); ok && t.IsSet() {
			dirs = append(dirs, below)
		}
	}
	return dirs
}

// depth is how many directories below the path can hold files that match.
func (c *Config) depth() int {
	if strings.Contains(c.Match, "**") {
		return maxDepth
	}
	return strings.Count(c.Match, "/")
}

// hidden tells whether names that begin with a dot may match.
func (c *Config) hidden() bool {
	return strings.HasPrefix(c.Match, ".") || strings.Contains(c.Match, "/.")
}
