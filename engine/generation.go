package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/journal"
	"github.com/syncd/syncd/engine/plan"
)

// originalsKept is how many generations of this process keep their texts with the
// secrets in them, in memory alone.
const originalsKept = 20

// record works out what the journal is to know of the graph, and puts it on record as
// a generation, unless it is the one that ran last. Two that differ in a secret only
// look the same on record, and are two all the same.
func (a *assembly) record(ctx context.Context, origin string) error {
	last, err := a.journal.Generations(ctx, 1)
	if err != nil {
		return fmt.Errorf("read which configurations ran: %w", err)
	}
	masked := a.graph.reading.Masked()
	sum := digest(masked)
	a.topology = a.layout()
	switch {
	case len(last) > 0 && last[0].Digest == sum && (a.old.reading == nil || sameTexts(a.old.reading.Texts, a.graph.reading.Texts)):
		a.topology.Generation = last[0].Number
	default:
		if a.topology.Generation = 1; len(last) > 0 {
			a.topology.Generation = last[0].Number + 1
		}
		a.topology.Record = &journal.Generation{Time: now(), Origin: origin, Digest: sum}
		for _, f := range masked {
			a.topology.Record.Files = append(a.topology.Record.Files, journal.ConfigFile{Name: f.Name, Text: string(f.Text)})
		}
	}
	return nil
}

// configure makes the journal account for a's graph; taken is called as
// journal.Topology says.
func (e *engine) configure(ctx context.Context, a *assembly, taken func()) ([]journal.Progress, error) {
	a.graph.generation, a.topology.Taken = a.topology.Generation, taken
	progress, err := e.journal.Configure(ctx, a.topology)
	if err != nil {
		return nil, a.unmoved(err)
	}
	a.topology.Record, a.topology.Taken = nil, nil
	e.originals[a.graph.generation] = a.graph.reading.Texts
	delete(e.originals, a.graph.generation-originalsKept)
	return progress, nil
}

// sinceLastRun lets the checkpoints start over of sources that count something else
// than when the daemon last ran.
func (e *engine) sinceLastRun(ctx context.Context, r *config.Reading, p *plan.Plan) error {
	last, err := e.journal.Generations(ctx, 1)
	if err != nil {
		return fmt.Errorf("read which configurations ran: %w", err)
	}
	if len(last) == 0 || last[0].Digest == digest(r.Masked()) {
		return nil
	}
	g, err := e.journal.Generation(ctx, last[0].Number)
	if err != nil {
		return fmt.Errorf("read which configuration ran: %w", err)
	}
	before := e.o.ReadTexts(e.texts(g))
	if before.Config == nil {
		return nil
	}
	for _, c := range plan.Between(before.Config, r.Config).Changes {
		if c.Reset {
			p.Find(c.Address).Reset = true
			e.log.Warn("a checkpoint starts over", "component", c.Address, "reason", strings.Join(c.Reasons, ", "))
		}
	}
	return nil
}

// texts are the files of a generation as it kept them.
func (e *engine) texts(g journal.Generation) []config.Text {
	root := e.root()
	var texts []config.Text
	for _, f := range g.Files {
		texts = append(texts, config.Text{Path: filepath.Join(root, f.Name), Name: f.Name, Text: []byte(f.Text)})
	}
	return texts
}

// shared are texts, each in the memory of the one before it that is the same.
func shared(texts, before []config.Text) []config.Text {
	known := map[string]config.Text{}
	for _, t := range before {
		known[t.Path] = t
	}
	all := slices.Clone(texts)
	for i, t := range all {
		if b := known[t.Path]; bytes.Equal(b.Text, t.Text) {
			all[i].Text = b.Text
		}
	}
	return all
}

// unmoved says of a Configure that failed at which block it did, if at any.
func (a *assembly) unmoved(err error) error {
	var refused *journal.MoveError
	if errors.As(err, &refused) {
		for _, m := range a.graph.cfg.Moved {
			if string(m.From) == refused.From && string(m.To) == refused.To {
				return fmt.Errorf("%s: %w", m.Place, refused)
			}
		}
	}
	return fmt.Errorf("set up flows in the journal: %w", err)
}

// digest tells whether two configurations say the same.
func digest(texts []config.Text) string {
	h := sha256.New()
	for _, t := range texts {
		fmt.Fprintf(h, "%d %s %d ", len(t.Name), t.Name, len(t.Text))
		h.Write(t.Text)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Generations lists the configurations that ran, the newest first.
func (e *engine) Generations(ctx context.Context) ([]admin.Generation, error) {
	all, err := e.journal.Generations(ctx, 0)
	if err != nil {
		return nil, fmt.Errorf("list configurations: %w", err)
	}
	out := []admin.Generation{}
	for _, g := range all {
		out = append(out, e.shown(g))
	}
	return out, nil
}

// Generation gives one of them with its files; 0 is the one that runs, and a
// negative number one before it.
func (e *engine) Generation(ctx context.Context, number int64) (admin.Generation, error) {
	number, err := e.numbered(number, 0)
	if err != nil {
		return admin.Generation{}, err
	}
	g, err := e.generation(ctx, number)
	if err != nil {
		return admin.Generation{}, err
	}
	return e.shown(g), nil
}

// numbered finds the generation that is meant: a number that is not positive counts
// from base generations after the one that runs.
func (e *engine) numbered(number, base int64) (int64, error) {
	if number > 0 {
		return number, nil
	}
	running := e.graph.Load().generation
	if number += base + running; number < 1 {
		return 0, fmt.Errorf("%w: generation %d runs, and nothing is that far before it", admin.ErrNotFound, running)
	}
	return number, nil
}

func (e *engine) generation(ctx context.Context, number int64) (journal.Generation, error) {
	g, err := e.journal.Generation(ctx, number)
	if errors.Is(err, journal.ErrNotFound) {
		return g, fmt.Errorf("%w: generation %d is not on record; syncd config history lists those that are", admin.ErrNotFound, number)
	}
	return g, err
}

func (e *engine) shown(g journal.Generation) admin.Generation {
	out := admin.Generation{Number: g.Number, Time: g.Time, Origin: g.Origin, Running: g.Number == e.graph.Load().generation}
	for _, f := range g.Files {
		out.Files = append(out.Files, admin.File{Name: f.Name, Text: f.Text})
	}
	return out
}
