package simulation

import "strconv"

// line is deliveries of one lane, source and key, in the order in which they must
// come; those before next are over.
type line struct {
	ways []delivery
	at   map[delivery]int
	next int
}

// ordered tells whether the lane keeps an order: of each key, or of all.
func (l *laneModel) ordered() bool { return l.flow.orderBy || l.sink.kind == file }

func (l *laneModel) lineOf(source string, n int) *line {
	name := source
	if l.sink.kind != file || l.flow.hold {
		name += "/" + strconv.Itoa(orderKey(n))
	}
	if l.line[name] == nil {
		l.line[name] = &line{at: map[delivery]int{}}
	}
	return l.line[name]
}

// queue adds the deliveries of a new event, unless a step may kill it: then it
// comes as late as its dead letter is retried.
func (l *laneModel) queue(m *model, source string, n int) {
	j := m.plan.journey(l.flow, n)
	if covered, _ := l.life(m.places[n]); !covered || !l.ordered() || j.dies {
		return
	}
	q := l.lineOf(source, n)
	for _, w := range j.ways {
		if w.sink != l.sink.index {
			continue
		}
		d := delivery{l.flow.index, n, w.path}
		q.at[d] = len(q.ways)
		q.ways = append(q.ways, d)
	}
}

// overtakes tells whether d comes before another that it must follow. What is in
// the same batch goes before it. t.mu is held.
func (l *laneModel) overtakes(m *model, t *peer, d delivery, batch map[delivery]bool) (before delivery, yes bool) {
	if !l.ordered() || t.w.mayExpire(l.sink, d) { // it may be a dead letter that is retried
		return before, false
	}
	p := m.places[d.n]
	q := l.lineOf(p.source, d.n)
	at, queued := q.at[d]
	if !queued {
		return before, false
	}
	for q.next < len(q.ways) && l.passed(m, t, q.ways[q.next]) {
		q.next++
	}
	for i := q.next; i < at; i++ {
		o := q.ways[i]
		if o.n == d.n && (t.records[o].over() || t.w.mayExpire(l.sink, o)) { // its own event's dead letter is in nobody's way
			continue
		}
		if !batch[o] && !l.passed(m, t, o) {
			return o, true
		}
	}
	return before, false
}

func (l *laneModel) passed(m *model, t *peer, d delivery) bool {
	_, ended := l.life(m.places[d.n])
	r := t.records[d]
	if l.flow.hold {
		return ended || r != nil && (r.succeeded || r.dropping)
	}
	return ended || r.over() || t.w.mayExpire(l.sink, d)
}

// expects tells whether the lane must deliver d, now or later.
func (m *model) expects(l *laneModel, d delivery) bool {
	p, known := m.places[d.n]
	if l == nil || !known || !l.flow.takes(p.source) {
		return false
	}
	if covered, _ := l.life(p); !covered && !m.late(l, d.n) {
		return false
	}
	for _, w := range m.plan.journey(l.flow, d.n).ways {
		if w.sink == l.sink.index && w.path == d.path {
			return true
		}
	}
	return false
}
