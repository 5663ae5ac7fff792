package journal

import (
	"errors"
	"fmt"
)

// renaming is what the moves of a topology come to.
type renaming struct {
	sources []sourceMove
	flows   []flowMove
	sinks   []Move
}

// A sourceMove or flowMove gives what moves a new name; over is what had that
// name and is forgotten, nil: nothing.
type (
	sourceMove struct {
		source *source
		to     string
		over   *source
	}
	flowMove struct {
		flow *flow
		to   string
		over *flow
	}
)

// planMoves finds what is to be renamed, and what makes that impossible. It
// changes nothing.
func (w *writer) planMoves(t *Topology) (r renaming, err error) {
	moved, err := ends(t.Moved)
	if err != nil {
		return r, own(err)
	}
	declared := t.names()
	for i := range t.Flows {
		for _, s := range t.Flows[i].Sources {
			declared[s] = true
		}
	}
	p := movePlan{w: w, renaming: &r, taken: map[string]string{}}
	for _, m := range moved {
		if declared[m.From] {
			return r, own(fmt.Errorf("%s moved to %s, but is still there: remove the moved block or the old name", m.From, m.To))
		}
		if err := errors.Join(p.source(m), p.flow(m), p.sink(m)); err != nil {
			return r, err
		}
	}
	return r, nil
}

// movePlan looks at one move after the other.
type movePlan struct {
	*renaming
	w     *writer
	taken map[string]string // the names given, by whom
}

// MoveError is why Configure refuses a move: both names have a past of their own.
type MoveError struct {
	Move
	reason string
}

func (e *MoveError) Error() string { return e.reason }

// Why two cannot become one, and what to do.
const (
	clashOfSources = "both have taken events: remove the moved block, then each goes on by itself"
	clashOfLanes   = "both have events of their own: give up what waits for one of them (syncd lane list, syncd lane drop), or remove the moved block"
)

// take gives m.From the name, which nobody else may get.
func (p *movePlan) take(m Move, clash string) error {
	if other := p.taken[m.To]; other != "" && other != m.From {
		return own(&MoveError{m, fmt.Sprintf("%s and %s cannot both move to %s: %s", other, m.From, m.To, clash)})
	}
	p.taken[m.To] = m.From
	return nil
}

// occupied is what to say when m.To is in use.
func occupied(m Move, clash string) error {
	return own(&MoveError{m, fmt.Sprintf("%s cannot move to %s: %s", m.From, m.To, clash)})
}

func (p *movePlan) source(m Move) error {
	s, over := p.w.model.sources[m.From], p.w.model.sources[m.To]
	if s == nil {
		return nil
	}
	if over != nil {
		used, err := p.w.sourceUsed(s)
		if err != nil || !used {
			return err
		}
		if used, err = p.w.sourceUsed(over); err != nil {
			return err
		}
		if used {
			return occupied(m, clashOfSources)
		}
	}
	p.sources = append(p.sources, sourceMove{s, m.To, over})
	return p.take(m, clashOfSources)
}

func (p *movePlan) flow(m Move) error {
	f, over := p.w.model.flows[m.From], p.w.model.flows[m.To]
	used, err := p.w.flowUsed(over)
	if err != nil {
		return err
	}
	if used {
		return p.unlessUnknown(m)
	}
	if f == nil || len(f.feeds) == 0 || over != nil && len(over.feeds) > 0 && !f.alive() {
		return nil
	}
	p.flows = append(p.flows, flowMove{f, m.To, over})
	return p.take(m, clashOfLanes)
}

func (p *movePlan) sink(m Move) error {
	used, err := p.w.sinkUsed(m.To)
	if err != nil {
		return err
	}
	if used {
		return p.unlessUnknown(m)
	}
	here := p.w.model.leadsTo(m.From)
	if !here {
		here, err = p.w.keeps(m.From)
	}
	if err != nil || !here {
		return err
	}
	p.sinks = append(p.sinks, m)
	return p.take(m, clashOfLanes)
}

// unlessUnknown is what to say of a flow or sink whose new name is in use.
func (p *movePlan) unlessUnknown(m Move) error {
	if _, known := p.w.model.origins[m.From]; known {
		return occupied(m, clashOfLanes)
	}
	return nil
}

// leadsTo tells whether some lane leads, or led, to the sink.
func (m *model) leadsTo(sink string) bool {
	for _, f := range m.feeds {
		for _, t := range f.tracks {
			if t.sink == sink {
				return true
			}
		}
	}
	return false
}

// sourceUsed tells whether there is something of the source that a move over it
// would lose. Counters of refused inputs are added up.
func (w *writer) sourceUsed(s *source) (bool, error) {
	if s.head > 0 || s.duplicates > 0 {
		return true, nil
	}
	n, err := w.conn.integer("SELECT EXISTS (SELECT 1 FROM exceptions WHERE source = ?)", s.id)
	if err != nil || n != 0 {
		return n != 0, err
	}
	for _, scope := range []string{s.address, s.address + dedupeScope} {
		if keeps, err := w.keeps(scope); err != nil || keeps {
			return keeps, err
		}
	}
	return false, nil
}

// flowUsed tells whether events came to the flow since it began.
func (w *writer) flowUsed(f *flow) (bool, error) {
	if f == nil {
		return false, nil
	}
	for _, d := range f.feeds {
		if d.end != forever {
			continue
		}
		if d.start < d.source.head {
			return true, nil
		}
		for _, t := range d.tracks {
			if used, err := w.trackUsed(t); err != nil || used {
				return used, err
			}
		}
	}
	return false, nil
}

func (w *writer) sinkUsed(sink string) (bool, error) {
	for _, d := range w.model.feeds {
		if t := d.live(sink); t != nil {
			if used, err := w.trackUsed(t); err != nil || used {
				return used, err
			}
		}
	}
	return false, nil
}

// trackUsed tells whether events came to the lane, or came back to it: a retry at
// a step also reaches lanes that began after it.
func (w *writer) trackUsed(t *track) (bool, error) {
	if t.start < t.feed.source.head || t.exceptions > 0 {
		return true, nil
	}
	for _, r := range w.txn.rows {
		if r.track == t {
			return true, nil
		}
	}
	n, err := w.conn.integer("SELECT EXISTS (SELECT 1 FROM outcomes WHERE track = ?)", t.id)
	return n != 0, err
}
