// Package journal is syncd's durable memory: events before they are
// acknowledged, how far each lane has come with them, what failed, what became
// of each, and whatever sources and sinks must remember together with it.
//
// The types here are the contract; package journaltest holds an implementation
// to it. Open makes the one that this package brings.
package journal

import (
	"context"
	"encoding/json"
	"time"

	"github.com/syncd/syncd/engine/component"
)

// Journal is the durable log. All methods are safe for concurrent use. A method
// that changes something returns nil only when the change is on disk; when it
// returns an error, nothing of the change is.
type Journal interface {
	// Append stores records of one source, with the state that covers them, in one
	// transaction. The answer has one entry for each record, in order, unless a is
	// Silent: a record whose Dedupe is known within its window is a duplicate and
	// carries the first's ID.
	// Records and all they hold are the journal's from the call on. When ctx ends
	// before the writer has taken the append it is not done; after that it is, and
	// the answer comes with its commit.
	// Errors: *component.LaterError when nothing can be taken now; ErrClosed.
	Append(ctx context.Context, a Append) ([]component.Accepted, error)

	// Get reads keyed state that is on disk; false where there is none or it has expired.
	Get(ctx context.Context, scope, key string) (json.RawMessage, bool, error)

	// Kept lists keyed state of a scope, in the order of the keys.
	Kept(ctx context.Context, scope string, q KeptQuery) ([]Kept, error)

	// CountKept counts the entries of a scope whose keys begin with prefix.
	CountKept(ctx context.Context, scope, prefix string) (int64, error)

	// Forget makes the source lose its keyed state and the ids that it knows, as
	// Topology.Reset does. Its dead letters and counters stay.
	Forget(ctx context.Context, source string) error

	// Refused adds n to the source's durable counter of refused inputs. It rides on
	// the next commit, at most a second later.
	Refused(source string, n int)

	// Configure makes t the flows that run, at one moment: events committed before are
	// the old topology's, all others t's. First, what t.Moved names gets its new name.
	// Lanes that t does not name stay as they are, orphaned: they keep their place, and
	// with it all events from there on, until they are named again or dropped. New ones
	// start where t says. The answer holds the progress of every lane of t, the steps
	// lanes included. Events that come before the first Configure are unrouted.
	//
	// Until the next Configure all methods understand the old names of what moved, for
	// the sake of what began before.
	Configure(ctx context.Context, t Topology) ([]Progress, error)

	// Progress gives what Configure would for one lane of a flow that runs, as its last
	// settlement has left it. Errors: ErrNotFound.
	Progress(ctx context.Context, l Lane) ([]Progress, error)

	// Origins tells the origin of each flow and sink that the last Configure named or
	// that has lanes; see NextOrigins.
	Origins(ctx context.Context) (map[string]string, error)

	// Generations lists the configurations that ran, the newest first, without their
	// files; limit 0: all that are kept, which are the newest 200.
	Generations(ctx context.Context, limit int) ([]Generation, error)

	// Generation gives one of them, with its files. Errors: ErrNotFound.
	Generation(ctx context.Context, number int64) (Generation, error)

	// Set stores keyed state that belongs to no source or sink, under a scope that is
	// none's address.
	Set(ctx context.Context, scope string, puts []component.Put) error

	// SetLimits changes how large the journal may grow (0: no limit) and how long it
	// keeps what is settled. It holds from the return on, until it is closed.
	SetLimits(maxSize int64, retention time.Duration)

	// Read gives frames of source that hold events after the position, oldest first,
	// at least one if there is one, and not many more than maxBytes of payload.
	// Frames just committed come from memory. They are shared: read-only.
	Read(ctx context.Context, source string, after Position, maxBytes int) ([]*Frame, error)

	// Watch gives a channel that holds a token whenever events of one of the sources
	// were committed since the last receive, and one at first. Stop releases it.
	Watch(sources []string) (wake <-chan struct{}, stop func())

	// Settle records what became of deliveries of one lane. It may wait a few
	// milliseconds for an append to share its commit with. A lane need not be one that
	// runs. Errors: ErrNotFound for a lane that has been dropped, or never was.
	Settle(ctx context.Context, s Settlement) error

	// Statuses tells, for an event of a flow, each lane's Status by Lane.Sink;
	// a lane that has not settled it is missing. Known while the event's frame is
	// kept or one of its exceptions is open.
	Statuses(ctx context.Context, flow, source string, p Position) (map[string]Status, error)

	// Exceptions lists what q selects, ordered by ID.
	Exceptions(ctx context.Context, q ExceptionQuery) ([]Exception, error)

	// Revive makes the dead letter wait for a retry at once; its history stays.
	// Errors: ErrNotFound.
	Revive(ctx context.Context, id int64) (Exception, error)

	// Drop gives up an exception, on record. Errors: ErrNotFound.
	Drop(ctx context.Context, id int64) (Exception, error)

	// DropLane gives up all that waits on a lane that no running flow has, on
	// record, and forgets the lane. Of a lane that runs, it gives up what came from
	// sources that its flow no longer takes. Errors: ErrNotFound, ErrInUse.
	DropLane(ctx context.Context, l Lane) error

	// Stats counts, exactly, at one moment.
	Stats(ctx context.Context) (Stats, error)

	// Close stops the writer after what it has taken, and releases the directory.
	Close() error
}

// Position is the place of an event in its source: the first accepted is 1, the
// next 2. 0 is before all.
type Position uint64

// Append is one submission of a source.
type Append struct {
	Source  string // address
	Records []Record
	State   []component.Put // scope: the source
	Dead    []Exception     // records that could not become events: dead letters of the source (Lane zero); with an ID, that one is replaced
	// Retried are the IDs of dead letters of the source that have become these records,
	// and end with them. One that is not there any more fails the append with ErrNotFound.
	Retried []int64
	// DedupeWindow is how long the Dedupe of these records is remembered. With Renew,
	// that counts from when it was met last, and may be up to half as long again.
	DedupeWindow time.Duration
	Renew        bool
	Silent       bool // no answers are wanted
}

// Record is one event to store.
type Record struct {
	ID      ID
	Time    time.Time
	Key     string
	Dedupe  string          // the source's id for it; "": none
	Content string          // a digest: it is no duplicate if its content differs from the last with that id; "": the id alone counts
	Meta    json.RawMessage // an object, or nil
	Payload Payload
}

// Payload is a body: Raw bytes with their content type or, for records of one
// shape, the Values of its Names.
type Payload struct {
	ContentType string
	Raw         []byte
	Names       []string // shared by all records of a shape; compared by value
	Values      []any    // nil, bool, int64, float64, string
}

// Size is about how many bytes it holds.
func (p *Payload) Size() int {
	n := len(p.Raw) + 16*len(p.Values)
	for _, v := range p.Values {
		if s, ok := v.(string); ok {
			n += len(s)
		}
	}
	return n
}

// Frame is what one commit stored of one source. Its events stand at
// First, First+1, …
type Frame struct {
	Source string
	First  Position
	Events []Record // Dedupe is not kept
	Bytes  int      // payload and meta
}

// Last is the position of the frame's last event.
func (f *Frame) Last() Position { return f.First + Position(len(f.Events)) - 1 }

// Lane is the way of a flow to a sink. The lane with Sink "" is the flow's steps
// lane, which owns what was filtered and what died in a step.
type Lane struct{ Flow, Sink string }

// Topology is all flows that run.
type Topology struct {
	Flows      []Flow
	Generation int64       // kept with each outcome
	Record     *Generation // to be stored as that; nil: the generation is on record already
	Moved      []Move      // of sources, flows and sinks
	// Origins are those of all flows and sinks that are configured, also of flows that
	// only others call, as NextOrigins gave them; nil: of those that Flows names.
	// Configure fails if what they were reckoned from has changed meanwhile.
	Origins map[string]string
	Reset   []string // sources whose keyed state and known ids are forgotten
	// Taken is called once all this is on disk, and nobody has read an event that came
	// after it before Taken has returned. It must not change the journal. nil: nobody
	// wants to know.
	Taken func()
}

// Flow is one flow with its lanes (the steps lane is implied).
type Flow struct {
	Name    string
	Sources []string
	Sinks   []string
	// Start is where a new flow, or a new source of a flow, begins: Oldest, or at
	// events accepted from Since on; Since zero means from now. A sink that is new
	// in a flow that the journal knows always begins now.
	Oldest bool
	Since  time.Time
	// Backlog is how many bytes may wait for the slowest lane before the flow's
	// sources are told to come later.
	Backlog int64
}

// Progress is how far a lane has come with one source: all up to Low is settled,
// and beyond it the positions in Beyond.
type Progress struct {
	Lane   Lane
	Source string
	Low    Position
	Beyond []Position // ascending
}

// Status says what became of an event on a lane: a set, since an event may have
// several deliveries there. 0: not settled.
type Status uint8

// An event that a lane has settled has at least one of these.
const (
	Nothing   Status = 1 << iota // there was nothing to deliver: filtered, or it died in a step
	Delivered                    // a delivery succeeded
	Dropped                      // given up by an operator
	Excepted                     // it has an open exception; the journal sees to it by itself
)

// Settlement is what a lane has done since its last one. It is stored whole or not
// at all. An event of which some deliveries are still on their way has no outcome
// yet, but may have exceptions that Failed or Resolved names. Where an event died in
// a step and is run again, its new outcomes on other lanes must be settled before
// the exception of the steps lane is resolved.
type Settlement struct {
	Lane     Lane
	Outcomes []Outcome       // ascending within each source
	Failed   []Exception     // new, or replacing the one of the same Key
	Resolved []Resolution    // exceptions that came to an end
	State    []component.Put // scope: the sink
}

// Outcome settles one event on the lane. Settling again adds to its status, its
// attempts and its time. Status Excepted alone is right for an event all of whose
// deliveries failed.
type Outcome struct {
	Source   string
	Position Position
	Status   Status
	Attempts int
	Took     time.Duration
}

// Resolution ends the exception of that Key, if it is still open: Status is
// Delivered, Nothing or Dropped; Attempts and Took are those that no Outcome or
// Resolution has told of.
type Resolution struct {
	Key
	Status   Status
	Attempts int
	Took     time.Duration
}

// Key names an exception within its lane.
type Key struct {
	Source   string
	Position Position
	Path     string // child path
}

// Exception is one delivery, or one event at a step, that failed while others
// pass: waiting for its retry, or dead.
type Exception struct {
	ID int64 // given by the journal; kept when replaced
	Key
	Lane      Lane // zero: a dead letter of the source
	EventID   string
	EventTime time.Time
	Step      string  // where in the flow it died, for a steps lane; "" otherwise
	Envelope  []byte  // what is to be sent or run again; opaque to the journal
	Shared    *Shared `json:"-"` // what it has in common with others; nil: nothing
	OrderKey  string  // of order_by; "" if none
	Attempts  int
	Since     time.Time // the first failure; of one that was revived, that
	Next      time.Time // of the next attempt, while it waits
	Dead      bool
	Errors    []Failure // the latest last, at most 10
}

// Shared is a part of the envelopes of several exceptions, of the children of an event, say.
// It is stored once, and read once as long as somebody has it: it is read-only.
type Shared struct{ Body []byte }

// Failure is one failed attempt.
type Failure struct {
	Time  time.Time
	Error string
}

// ExceptionQuery selects exceptions; zero fields select all.
type ExceptionQuery struct {
	Lane      *Lane // nil: all lanes and sources
	Key       *Key
	ID        int64
	DeadOnly  bool
	AliveOnly bool
	After     int64 // IDs greater than this
	Limit     int   // 0: no limit
	Bare      bool  // leave out the envelopes and what they share, which may be large
}

// Stats are counts that outlive retention, and what waits now.
type Stats struct {
	Sources []SourceStats
	Flows   []FlowStats
	Lanes   []LaneStats
	Bytes   int64  // size of the journal's files
	Full    string // why nothing is accepted; "" if all is well
}

// SourceStats counts the inputs of a source. Accepted excludes duplicates.
type SourceStats struct {
	Source                                        string
	Accepted, Duplicates, Refused, Unrouted, Dead int64     // Dead: its dead letters now
	Last                                          time.Time // of the last accepted event
}

// FlowStats counts events of a flow: Accepted is the sum of the other five.
type FlowStats struct {
	Flow                                                  string
	Accepted, Delivered, Filtered, Dead, Dropped, Pending int64
}

// LaneStats shows a lane; Backlog is the number of its events not yet settled, and
// Waiting and Dead its exceptions.
type LaneStats struct {
	Lane
	Active                 bool // a running flow has it
	Backlog, Waiting, Dead int64
	Bytes                  int64 // of payload not yet settled; a frame settled in part counts whole
}
