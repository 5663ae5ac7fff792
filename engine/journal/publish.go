package journal

import "time"

// publish makes a committed transaction known: its frames to readers, its sources
// to those who watch them, what it means for room and gates to appends.
func (w *writer) publish() {
	t := &w.txn
	if w.failing {
		w.failing = false
		w.log.Info("the journal can be written again")
	}
	if t.added {
		w.lastAdd = time.Now()
	}
	if t.topology != nil {
		w.j.topology.Store(t.topology)
		now := w.model.names
		w.j.names.Store(&now)
	}
	for _, m := range t.renamed {
		w.j.recent.rename(m)
		w.j.watchers.rename(m)
	}
	if t.taken != nil {
		t.taken()
	}
	for _, f := range t.fresh {
		w.j.recent.add(f)
	}
	for _, p := range t.packs {
		w.j.watchers.notify(p.source.address)
	}
	if w.j.o.Committed != nil {
		w.j.o.Committed()
	}
	w.moved()
	if len(t.unnamed) > 0 {
		w.j.blobs.doubt(t.unnamed)
		w.collect()
	}
	w.space.unseen += t.written
	if w.space.unseen >= measureEvery {
		w.space.measure(w)
	}
	w.space.publish(w)
}

// moved looks at the backlog of the flows that the transaction concerns.
func (w *writer) moved() {
	t := &w.txn
	clear(t.flows)
	for _, k := range t.tracks {
		w.j.ports.get(k.feed.source.address).pace.set(k.feed.source)
	}
	for _, s := range t.sources {
		w.j.ports.get(s.address).pace.set(s)
		for _, d := range s.feeds {
			t.flows[d.flow] = true
		}
	}
	for _, k := range t.tracks {
		t.flows[k.feed.flow] = true
	}
	if len(t.flows) > 0 {
		w.regate(t.flows)
	}
}
