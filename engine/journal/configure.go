package journal

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
)

// configureTask is a Configure on its way.
type configureTask struct {
	job
	t        Topology
	record   *record
	moves    renaming
	origins  map[string]string
	progress []Progress
	taken    func()
}

// Configure implements Journal.
func (j *SQLite) Configure(ctx context.Context, t Topology) ([]Progress, error) {
	record, err := j.newRecord(ctx, &t)
	if err != nil {
		return nil, fmt.Errorf("configure journal: %w", err)
	}
	taken := t.Taken
	t.Record, t.Taken = nil, nil // the topology is kept, its texts need not be
	task := &configureTask{job: newJob(), t: t, record: record, taken: taken}
	if err := j.submit(ctx, task); err != nil {
		return nil, fmt.Errorf("configure journal: %w", err)
	}
	return task.progress, nil
}

func (t *configureTask) run(w *writer) error {
	if err := w.emitAll(); err != nil {
		return err
	}
	if err := t.check(w); err != nil {
		return err
	}
	err := t.carryOut(w)
	if isOwn(err) { // the model has changed, so that the whole transaction must fail
		err = errors.New(err.Error())
	}
	return err
}

// check finds what makes it impossible, before anything is done.
func (t *configureTask) check(w *writer) (err error) {
	if err := t.record.check(w); err != nil {
		return err
	}
	if t.moves, err = w.planMoves(&t.t); err != nil {
		return err
	}
	t.origins, err = w.planOrigins(&t.t)
	return err
}

func (t *configureTask) carryOut(w *writer) error {
	w.model.names = names(t.t.Moved) // and no longer what moved before
	if err := w.rename(&t.moves); err != nil {
		return err
	}
	for _, s := range t.t.Reset {
		if err := w.discard(s, s+dedupeScope); err != nil {
			return err
		}
	}
	for i := range t.t.Flows {
		if err := w.begin(&t.t.Flows[i]); err != nil {
			return err
		}
	}
	if err := w.storeOrigins(t.origins, &t.t); err != nil {
		return err
	}
	if err := t.record.store(w); err != nil {
		return err
	}
	w.arrange(&t.t)
	w.txn.topology, w.txn.taken = &t.t, t.taken
	t.progress = w.progress(&t.t)
	return nil
}

// begin makes the feeds and tracks that the flow lacks.
func (w *writer) begin(f *Flow) error {
	known := w.model.flow(f.Name)
	was := known.alive()
	sinks := known.sinks()
	for _, address := range f.Sources {
		s, err := w.source(address)
		if err != nil {
			return err
		}
		d := known.live(s)
		isNew := d == nil
		if isNew {
			if d, err = w.newFeed(known, s, f); err != nil {
				return err
			}
		}
		for _, sink := range append([]string{""}, f.Sinks...) {
			if d.live(sink) != nil {
				continue
			}
			start := d.start
			switch {
			case sink == "":
				start = d.earliest()
			case !isNew || was && !slices.Contains(sinks, sink):
				start = s.head
			}
			if err := w.newTrack(d, sink, start); err != nil {
				return err
			}
		}
	}
	return nil
}

// alive tells that the flow has a feed that has not ended.
func (f *flow) alive() bool {
	return slices.ContainsFunc(f.feeds, func(d *feed) bool { return d.end == forever })
}

// sinks lists those that the flow's live tracks lead to.
func (f *flow) sinks() (list []string) {
	for _, d := range f.feeds {
		for _, t := range d.tracks {
			if !t.ended() && !slices.Contains(list, t.sink) {
				list = append(list, t.sink)
			}
		}
	}
	return list
}

// earliest is where a steps lane must begin: with the first event that another
// lane of the feed still needs, or with the feed.
func (f *feed) earliest() Position {
	if len(f.tracks) == 0 {
		return f.start
	}
	return f.settled()
}

// newFeed makes the flow take the source from where its start says.
func (w *writer) newFeed(known *flow, s *source, f *Flow) (*feed, error) {
	start, err := w.start(s, f)
	if err != nil {
		return nil, fmt.Errorf("find start of flow %s: %w", f.Name, err)
	}
	d := &feed{flow: known, source: s, start: start, folded: start, end: forever}
	d.id, err = w.conn.insert("INSERT INTO feeds (flow, source, start, folded, ended, delivered, filtered, dropped) VALUES (?, ?, ?, ?, ?, 0, 0, 0)",
		f.Name, s.id, start, start, d.end)
	if err != nil {
		return nil, fmt.Errorf("write feed: %w", err)
	}
	w.model.adopt(d)
	return d, nil
}

// start is the position before the first event that a new flow takes.
func (w *writer) start(s *source, f *Flow) (Position, error) {
	if f.Oldest {
		if s.oldest.count == 0 {
			return s.head, nil
		}
		return s.oldest.first - 1, nil
	}
	start := s.head
	if f.Since.IsZero() {
		return start, nil
	}
	err := w.conn.query(frameColumns+"AND time >= ? ORDER BY id LIMIT 1", []any{frameID(s.id, 0), frameID(s.id, s.head), nanos(f.Since)}, func(r []driver.Value) error {
		start = readFrameInfo(r).first - 1
		return nil
	})
	return start, err
}

func (w *writer) newTrack(d *feed, sink string, start Position) (err error) {
	t := &track{feed: d, sink: sink, start: start, low: start, end: forever, givenUp: forever}
	if t.bytes, err = w.bytesUpTo(d.source, start); err != nil {
		return fmt.Errorf("measure lane %s: %w", t.lane().name(), err)
	}
	t.id, err = w.conn.insert("INSERT INTO tracks (feed, sink, start, low, bytes, ended, given_up) VALUES (?, ?, ?, ?, ?, ?, ?)",
		d.id, sink, start, start, t.bytes, t.end, t.givenUp)
	if err != nil {
		return fmt.Errorf("write track: %w", err)
	}
	d.tracks = append(d.tracks, t)
	return nil
}

// bytesUpTo is what the source had brought before the frame of the event after p.
func (w *writer) bytesUpTo(s *source, p Position) (int64, error) {
	f, err := s.frame(w.conn, p+1)
	if err != nil || f.count == 0 {
		return s.bytes, err
	}
	return f.bytes - f.size, nil
}

// arrange notes in the model which of it t runs; nil: nothing.
func (w *writer) arrange(t *Topology) {
	m := w.model
	m.running = t
	for _, f := range m.flows {
		f.backlog = 0
	}
	for _, d := range m.feeds {
		d.active = false
		for _, k := range d.tracks {
			k.active = false
		}
	}
	w.j.ports.ungate(m)
	if t == nil {
		return
	}
	m.generation, m.names = t.Generation, names(t.Moved)
	for i := range t.Flows {
		f := &t.Flows[i]
		known := m.flow(f.Name)
		known.backlog = f.Backlog
		for _, d := range known.feeds {
			if d.end != forever || !slices.Contains(f.Sources, d.source.address) {
				continue
			}
			d.active = true
			for _, k := range d.tracks {
				k.active = !k.ended() && (k.sink == "" || slices.Contains(f.Sinks, k.sink))
			}
		}
	}
	w.regate(nil)
}

// progress tells how far the lanes of t have come, in its order.
func (w *writer) progress(t *Topology) (list []Progress) {
	for i := range t.Flows {
		f := &t.Flows[i]
		for _, address := range f.Sources {
			d := w.model.flow(f.Name).live(w.model.sources[address])
			for _, sink := range append([]string{""}, f.Sinks...) {
				k := d.live(sink)
				list = append(list, Progress{Lane: k.lane(), Source: address, Low: k.low, Beyond: k.beyond()})
			}
		}
	}
	return list
}

// beyond lists what is settled past low.
func (t *track) beyond() (list []Position) {
	for _, o := range t.open {
		list = o.appendSettled(list, t.low)
	}
	return list
}
