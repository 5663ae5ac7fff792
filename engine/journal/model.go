package journal

import (
	"database/sql/driver"
	"fmt"
	"math"
	"sort"
	"time"
)

// forever is the end of what has not ended.
const forever = Position(math.MaxInt64)

// model is what the writer keeps in memory of the tables. It is loaded anew after
// a transaction that failed, so that it never says more than the disk.
type model struct {
	sources    map[string]*source
	flows      map[string]*flow
	feeds      []*feed
	scopes     map[string]int64
	origins    map[string]string
	running    *Topology         // nil: nothing
	names      map[string]string // what moved, by its old name
	generation int64
}

// source is one row of sources, with the newest frames.
type source struct {
	id                            int64
	address                       string
	head                          Position // the last accepted
	bytes                         int64    // accepted ever
	duplicates, refused, unrouted int64
	last                          time.Time
	feeds                         []*feed
	recent                        []frameInfo // of the newest frames, ascending
	oldest                        frameInfo   // count 0: none is kept
	dirty                         bool
}

// frameInfo is a frame without its body.
type frameInfo struct {
	first Position
	count int
	size  int64 // of payload and meta
	bytes int64 // the source's, up to this frame's end
	time  int64
}

func (f frameInfo) last() Position { return f.first + Position(f.count) - 1 }

// flow is all feeds of one name. What a topology says of it is set by Configure.
type flow struct {
	name    string
	feeds   []*feed
	backlog int64 // 0: no limit
	behind  int64 // bytes over the limit, else 0
}

// feed is a flow's taking of a source, from after start to end. What it has
// settled up to folded is in the counters, but for events with open exceptions.
type feed struct {
	id                           int64
	flow                         *flow
	source                       *source
	start, folded, end           Position
	delivered, filtered, dropped int64
	tracks                       []*track // ended ones too
	active                       bool     // a running flow takes the source
	dirty                        bool
}

// track is a lane's way through a source, from after start to end. All up to low
// is settled; open are the rows that say what is settled beyond. When the lane
// was given up, everything unsettled beyond givenUp was dropped.
type track struct {
	id                       int64
	feed                     *feed
	sink                     string
	start, low, end, givenUp Position
	bytes                    int64 // the source's, up to the last frame wholly settled
	open                     []*outcomes
	exceptions               int64
	active                   bool
	dirty                    bool
}

func (t *track) lane() Lane { return Lane{t.feed.flow.name, t.sink} }

func (t *track) ended() bool { return t.end != forever }

func (m *model) flow(name string) *flow {
	f := m.flows[name]
	if f == nil {
		f = &flow{name: name}
		m.flows[name] = f
	}
	return f
}

// live is the feed of f from s that has not ended, or nil.
func (f *flow) live(s *source) *feed {
	for _, d := range f.feeds {
		if d.source == s && d.end == forever {
			return d
		}
	}
	return nil
}

// live is the track of that sink that has not ended, or nil.
func (f *feed) live(sink string) *track {
	for _, t := range f.tracks {
		if t.sink == sink && !t.ended() {
			return t
		}
	}
	return nil
}

// settled is up to where all live tracks of f have settled everything.
func (f *feed) settled() Position {
	p := min(f.end, f.source.head)
	for _, t := range f.tracks {
		if !t.ended() {
			p = min(p, t.low)
		}
	}
	return p
}

// judge reads a stored status of position p, 0 if none is: whether the track
// takes p, whether it has settled it, and how.
func (t *track) judge(p Position, s Status) (status Status, takes, settled bool) {
	bits := s &^ partial
	switch {
	case p > t.end || p <= t.start && bits == 0:
		return 0, false, false
	case t.ended():
		if bits&Excepted != 0 || s != bits || bits == 0 && p > t.givenUp {
			bits = bits&^Excepted | Dropped
		}
		return max(bits, Nothing), true, true
	case p <= t.low:
		return max(bits, Nothing), true, true
	}
	return bits, true, s != 0 && s == bits
}

// outcome tells the status that an operator or reader sees, 0 if not settled.
func (t *track) outcome(p Position, s Status) Status {
	if status, takes, settled := t.judge(p, s); takes && settled {
		return status
	}
	return 0
}

// load reads the model but for rows of outcomes and frames.
func load(c *conn) (*model, error) {
	m := &model{sources: map[string]*source{}, flows: map[string]*flow{}, scopes: map[string]int64{}}
	sources, feeds := map[int64]*source{}, map[int64]*feed{}
	err := c.query("SELECT id, address, head, bytes, duplicates, refused, unrouted, last FROM sources ORDER BY id", nil, func(r []driver.Value) error {
		s := &source{id: num(r[0]), address: text(r[1]), head: pos(r[2]), bytes: num(r[3]),
			duplicates: num(r[4]), refused: num(r[5]), unrouted: num(r[6]), last: fromNanos(num(r[7]))}
		m.sources[s.address], sources[s.id] = s, s
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load sources: %w", err)
	}
	err = c.query("SELECT id, flow, source, start, folded, ended, delivered, filtered, dropped FROM feeds ORDER BY id", nil, func(r []driver.Value) error {
		f := &feed{id: num(r[0]), flow: m.flow(text(r[1])), source: sources[num(r[2])], start: pos(r[3]), folded: pos(r[4]), end: pos(r[5]),
			delivered: num(r[6]), filtered: num(r[7]), dropped: num(r[8])}
		m.adopt(f)
		feeds[f.id] = f
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load feeds: %w", err)
	}
	err = c.query("SELECT id, feed, sink, start, low, bytes, ended, given_up FROM tracks ORDER BY id", nil, func(r []driver.Value) error {
		t := &track{id: num(r[0]), feed: feeds[num(r[1])], sink: text(r[2]), start: pos(r[3]), low: pos(r[4]),
			bytes: num(r[5]), end: pos(r[6]), givenUp: pos(r[7])}
		t.feed.tracks = append(t.feed.tracks, t)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load tracks: %w", err)
	}
	return m, nil
}

func (m *model) adopt(f *feed) {
	m.feeds = append(m.feeds, f)
	f.flow.feeds = append(f.flow.feeds, f)
	f.source.feeds = append(f.source.feeds, f)
}

// loadProgress adds what only the writer needs.
func (m *model) loadProgress(c *conn) (err error) {
	if m.origins, err = loadOrigins(c); err != nil {
		return err
	}
	for _, s := range m.sources {
		if err := s.loadFrames(c); err != nil {
			return fmt.Errorf("load frames: %w", err)
		}
		for _, f := range s.feeds {
			for _, t := range f.tracks {
				if err := t.loadOpen(c); err != nil {
					return fmt.Errorf("load outcomes: %w", err)
				}
			}
		}
	}
	return nil
}

const recentFrames = 1024

const frameColumns = "SELECT id, count, size, bytes, time FROM frames WHERE id >= ? AND id <= ? "

func readFrameInfo(r []driver.Value) frameInfo {
	return frameInfo{first: firstOf(num(r[0])), count: int(num(r[1])), size: num(r[2]), bytes: num(r[3]), time: num(r[4])}
}

func (s *source) loadFrames(c *conn) error {
	err := c.query(frameColumns+"ORDER BY id DESC LIMIT 64", []any{frameID(s.id, 0), frameID(s.id, s.head)}, func(r []driver.Value) error {
		s.recent = append(s.recent, readFrameInfo(r))
		return nil
	})
	if err != nil {
		return err
	}
	sort.Slice(s.recent, func(i, j int) bool { return s.recent[i].first < s.recent[j].first })
	return s.loadOldest(c)
}

func (s *source) loadOldest(c *conn) error {
	s.oldest = frameInfo{}
	return c.query(frameColumns+"ORDER BY id LIMIT 1", []any{frameID(s.id, 0), frameID(s.id, s.head)}, func(r []driver.Value) error {
		s.oldest = readFrameInfo(r)
		return nil
	})
}

// frame is the kept frame that holds p; count 0 if there is none.
func (s *source) frame(c *conn, p Position) (info frameInfo, err error) {
	if p == 0 || p > s.head {
		return frameInfo{}, nil
	}
	if len(s.recent) > 0 && p >= s.recent[0].first {
		i := sort.Search(len(s.recent), func(i int) bool { return s.recent[i].last() >= p })
		return s.recent[i], nil
	}
	err = c.query(frameColumns+"ORDER BY id DESC LIMIT 1", []any{frameID(s.id, 0), frameID(s.id, p)}, func(r []driver.Value) error {
		if f := readFrameInfo(r); f.last() >= p {
			info = f
		}
		return nil
	})
	return info, err
}

// push notes a frame just written.
func (s *source) push(f frameInfo) {
	if len(s.recent) >= 2*recentFrames {
		s.recent = append(s.recent[:0], s.recent[recentFrames:]...)
	}
	s.recent = append(s.recent, f)
	if s.oldest.count == 0 {
		s.oldest = f
	}
}

// loadOpen reads the track's rows that reach beyond low, and counts its exceptions.
func (t *track) loadOpen(c *conn) (err error) {
	if t.ended() {
		return nil
	}
	t.exceptions, err = c.integer("SELECT count(*) FROM exceptions WHERE "+ofTrack, t.id)
	if err != nil {
		return err
	}
	var rows []*outcomes
	err = eachOutcomes(c, t.id, t.low+1, forever-1, func(o *outcomes) error {
		if o.last() > t.low {
			rows = append(rows, o)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, o := range rows {
		f, err := t.feed.source.frame(c, o.first)
		if err != nil {
			return err
		}
		o.bytes = f.bytes
	}
	t.open = rows
	return nil
}

// eachOutcomes gives the track's rows that hold positions from…to.
func eachOutcomes(c *conn, track int64, from, to Position, each func(*outcomes) error) error {
	const query = "SELECT first, body FROM outcomes WHERE track = ? AND first >= ? AND first <= ? AND last >= ? ORDER BY first"
	begin := max(from, maxEvents) - maxEvents // no frame is longer
	return c.query(query, []any{track, begin, to, from}, func(r []driver.Value) error {
		o := &outcomes{first: pos(r[0]), stored: true}
		if err := o.decode(blob(r[1])); err != nil {
			return err
		}
		return each(o)
	})
}

// positionBits of a frame's id are its first position; the rest is its source.
const positionBits = 44

func frameID(source int64, first Position) int64 { return source<<positionBits | int64(first) }

func firstOf(id int64) Position { return Position(id & (1<<positionBits - 1)) }
