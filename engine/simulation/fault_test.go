package simulation

import (
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// fault is a broken promise planted on purpose, between the flows and the
// journal or the flows and a sink.
type fault struct {
	name     string
	aJournal func(journal.Journal) journal.Journal
	aSink    func(component.Sink) component.Sink
}

func (f *fault) journal(j journal.Journal) journal.Journal {
	if f == nil || f.aJournal == nil {
		return j
	}
	return f.aJournal(j)
}

func (f *fault) sink(s component.Sink) component.Sink {
	if f == nil || f.aSink == nil {
		return s
	}
	return f.aSink(s)
}
