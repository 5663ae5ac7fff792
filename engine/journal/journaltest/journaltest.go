// Package journaltest holds implementations of journal.Journal to their contract.
//
// An implementation calls Run from a test of its own. Every case runs in a
// testing/synctest bubble: waiting takes no time, and the clock is package time's.
package journaltest

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/syncd/syncd/engine/journal"
)

// Harness gives a case one place of storage, empty at first.
type Harness struct {
	// Open opens the storage; it fails the test if it cannot. Only one is open at a time.
	Open func(t *testing.T, s Settings) journal.Journal
	// Kill stops the journal without giving it time for anything.
	Kill func(t *testing.T, j journal.Journal)
}

// Settings are what every implementation can be told.
type Settings struct {
	Retention time.Duration
	MaxSize   int64 // 0: no limit
}

// Run runs the suite. It makes a new Harness for each case.
func Run(t *testing.T, newHarness func(t *testing.T) Harness) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t)
			synctest.Test(t, func(t *testing.T) { c.run(t, h) })
		})
	}
}

var cases = []struct {
	name string
	run  func(*testing.T, Harness)
}{
	{"append and read", appendAndRead},
	{"payloads", payloads},
	{"large batches", largeBatches},
	{"large records", largeRecords},
	{"many submitters", manySubmitters},
	{"duplicates", duplicates},
	{"dedupe window", dedupeWindow},
	{"changed content", changedContent},
	{"renewed ids", renewedIDs},
	{"state", state},
	{"bad submissions fail alone", badAlone},
	{"cancelled append", cancelledAppend},
	{"dead letters of a source", sourceDead},
	{"refused and unrouted", refusedAndUnrouted},
	{"watch", watch},
	{"closed", closed},
	{"settle in order", settleInOrder},
	{"settle out of order", settleOutOfOrder},
	{"settle unknown", settleUnknown},
	{"start of a flow", startOfFlow},
	{"new sink in a known flow", newSink},
	{"orphans", orphans},
	{"statuses", statuses},
	{"exceptions", exceptions},
	{"exception before its event settles", exceptionFirst},
	{"failures kept", failuresKept},
	{"listing exceptions", listExceptions},
	{"revive and drop", reviveAndDrop},
	{"settling again", settlingAgain},
	{"drop lane", dropLane},
	{"drop lane of a source that a flow no longer takes", dropLaneOfSource},
	{"backlog", backlog},
	{"retention", retention},
	{"retention keeps what is needed", retentionKeeps},
	{"accounts outlive retention", accountsOutlive},
	{"max size", maxSize},
	{"limits that change", changedLimits},
	{"generations", generations},
	{"files of generations", generationFiles},
	{"moves", moves},
	{"moves while others look", movesAreHeardOf},
	{"moves in chains", movesInChains},
	{"moves onto others", movesOntoOthers},
	{"moves onto what is unused", movesOntoUnused},
	{"origins", origins},
	{"reset", reset},
	{"set", setState},
	{"kept", kept},
	{"forget", forget},
	{"progress", progress},
	{"configure under load", reconfigureUnderLoad},
	{"random operations", random},
}
