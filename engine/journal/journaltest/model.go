package journaltest

import (
	"slices"

	"github.com/syncd/syncd/engine/journal"
)

// model is what the journal must know, told as simply as possible: every event of
// every flow with what each lane made of it.
type model struct {
	heads      map[string]journal.Position
	duplicates map[string]int64
	unrouted   map[string]int64
	refused    map[string]int64
	ids        map[string]map[string]string // source → dedupe key → first id
	origins    map[string]string
	flows      map[string]*flowModel
	running    []journal.Flow
}

type flowModel struct {
	past  journal.FlowStats // of feeds that have ended
	feeds map[string]*feedModel
}

// feedModel is a flow's taking of a source.
type feedModel struct {
	source string
	start  journal.Position
	lanes  map[string]*laneModel
	gone   []*laneModel // dropped ones
}

type laneModel struct {
	start, end journal.Position // end: of a dropped one
	settled    map[journal.Position]journal.Status
	early      map[journal.Position]journal.Status // of events that are not settled
	open       map[journal.Key]bool                // dead
}

func newModel() *model {
	return &model{heads: map[string]journal.Position{}, duplicates: map[string]int64{}, unrouted: map[string]int64{},
		refused: map[string]int64{}, ids: map[string]map[string]string{}, origins: map[string]string{}, flows: map[string]*flowModel{}}
}

func newLane(start journal.Position) *laneModel {
	return &laneModel{start: start, settled: map[journal.Position]journal.Status{},
		early: map[journal.Position]journal.Status{}, open: map[journal.Key]bool{}}
}

func (m *model) runs(flow, source, sink string) bool {
	return slices.ContainsFunc(m.running, func(f journal.Flow) bool {
		return f.Name == flow && slices.Contains(f.Sources, source) && (sink == "" || slices.Contains(f.Sinks, sink))
	})
}

func (m *model) append(source string, n int) {
	m.heads[source] += journal.Position(n)
	if !slices.ContainsFunc(m.running, func(f journal.Flow) bool { return slices.Contains(f.Sources, source) }) {
		m.unrouted[source] += int64(n)
	}
}

func (m *model) configure(flows []journal.Flow) {
	m.running = flows
	for _, f := range flows {
		fm := m.flows[f.Name]
		if fm == nil {
			fm = &flowModel{feeds: map[string]*feedModel{}}
			m.flows[f.Name] = fm
		}
		known := map[string]bool{}
		for _, d := range fm.feeds {
			for sink := range d.lanes {
				known[sink] = true
			}
		}
		isKnown := len(fm.feeds) > 0
		for _, s := range f.Sources {
			d := fm.feeds[s]
			isNew := d == nil
			if isNew {
				d = &feedModel{source: s, start: m.heads[s], lanes: map[string]*laneModel{}}
				fm.feeds[s] = d
			}
			if d.lanes[""] == nil {
				d.lanes[""] = newLane(d.low(m.heads[s]))
			}
			for _, sink := range f.Sinks {
				switch {
				case d.lanes[sink] != nil:
				case !isNew || isKnown && !known[sink]:
					d.lanes[sink] = newLane(m.heads[s])
				default:
					d.lanes[sink] = newLane(d.start)
				}
			}
		}
	}
}

// low is where a steps lane begins: no later than what another lane waits for.
func (d *feedModel) low(head journal.Position) journal.Position {
	if len(d.lanes) == 0 {
		return d.start
	}
	p := head
	for _, l := range d.lanes {
		p = min(p, l.low(head))
	}
	return p
}

func (l *laneModel) low(head journal.Position) journal.Position {
	p := l.start
	for p < head && l.settled[p+1] != 0 {
		p++
	}
	return p
}

func (l *laneModel) beyond(head journal.Position) (list []journal.Position) {
	for p := l.low(head) + 1; p <= head; p++ {
		if l.settled[p] != 0 {
			list = append(list, p)
		}
	}
	return list
}

func (l *laneModel) excepted(p journal.Position) (open, waiting bool) {
	for k, dead := range l.open {
		if k.Position == p {
			open, waiting = true, waiting || !dead
		}
	}
	return open, waiting
}

// status is what Statuses says of the event: 0 if it is not settled.
func (l *laneModel) status(p journal.Position) journal.Status {
	s := l.settled[p]
	if s == 0 {
		return 0
	}
	s &^= journal.Excepted
	if open, _ := l.excepted(p); open {
		s |= journal.Excepted
	}
	return max(s, journal.Nothing)
}

func (l *laneModel) settle(p journal.Position, s journal.Status) {
	l.settled[p] |= s | l.early[p]
	delete(l.early, p)
}

func (l *laneModel) fail(k journal.Key, dead bool) { l.open[k] = dead }

func (l *laneModel) resolve(k journal.Key, s journal.Status) {
	delete(l.open, k)
	if l.settled[k.Position] != 0 {
		l.settled[k.Position] |= s
	} else {
		l.early[k.Position] |= s
	}
}

// drop gives up the lane at the head.
func (d *feedModel) drop(sink string, head journal.Position) {
	l := d.lanes[sink]
	l.end = head
	for p := l.start + 1; p <= head; p++ {
		if open, _ := l.excepted(p); open || l.settled[p] == 0 {
			l.settled[p] |= journal.Dropped
		}
	}
	l.open = map[journal.Key]bool{}
	delete(d.lanes, sink)
	d.gone = append(d.gone, l)
}

func (f *flowModel) stats(name string, heads map[string]journal.Position) journal.FlowStats {
	s := f.past
	s.Flow = name
	for _, d := range f.feeds {
		d.add(&s, heads[d.source])
	}
	return s
}

// add counts the feed's events.
func (d *feedModel) add(s *journal.FlowStats, head journal.Position) {
	s.Accepted += int64(head - d.start)
	for p := d.start + 1; p <= head; p++ {
		var status journal.Status
		isPending, isDead := false, false
		for _, l := range d.lanes {
			if p <= l.start {
				continue
			}
			open, waiting := l.excepted(p)
			isPending = isPending || waiting || l.settled[p] == 0
			isDead = isDead || open
			status |= l.settled[p]
		}
		for _, l := range d.gone {
			if p <= l.end {
				status |= l.settled[p]
			}
		}
		switch {
		case isPending:
			s.Pending++
		case isDead:
			s.Dead++
		case status&journal.Dropped != 0:
			s.Dropped++
		case status&journal.Delivered != 0:
			s.Delivered++
		default:
			s.Filtered++
		}
	}
}
