package journal

import (
	"sort"
	"sync"
)

// recentBytes bounds the frames kept in memory, over all sources, as counted by weight.
const recentBytes = 8 << 20

// recent holds the newest frames of each source, without gaps, for those who keep up.
type recent struct {
	mu       sync.RWMutex
	bySource map[string][]*Frame
	order    []*Frame // all, the oldest first
	weight   int
}

func newRecent() *recent { return &recent{bySource: map[string][]*Frame{}} }

// weight estimates what a decoded frame takes in memory.
func (f *Frame) weight() int { return f.Bytes + overhead(f.Events) }

// overhead is what records take in memory beside the bytes of payload and meta.
func overhead(records []Record) int {
	const record, value = 200, 24
	if len(records) == 0 {
		return 0
	}
	return len(records) * (record + value*len(records[0].Payload.Values))
}

// add takes in the frame that follows its source's last, and lets the oldest go.
func (r *recent) add(f *Frame) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bySource[f.Source] = append(r.bySource[f.Source], f)
	r.order = append(r.order, f)
	r.weight += f.weight()
	for r.weight > recentBytes {
		old := r.order[0]
		r.order[0] = nil
		r.order = r.order[1:]
		list := r.bySource[old.Source]
		list[0] = nil
		r.bySource[old.Source] = list[1:]
		r.weight -= old.weight()
	}
}

// pushedOut is the last event of the source that frames of so much weight would let go;
// 0: none of it.
func (r *recent) pushedOut(source string, weight int) (last Position) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	over := r.weight + weight - recentBytes
	for _, f := range r.order {
		if over <= 0 {
			break
		}
		over -= f.weight()
		if f.Source == source {
			last = f.Last()
		}
	}
	return last
}

// rename gives the frames of a source that moved its new name. Those who read them
// before keep them as they were.
func (r *recent) rename(m Move) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bySource[m.From] == nil {
		return
	}
	delete(r.bySource, m.From)
	r.bySource[m.To] = nil
	for i, f := range r.order {
		if f.Source == m.From {
			moved := *f
			moved.Source = m.To
			r.order[i] = &moved
			r.bySource[m.To] = append(r.bySource[m.To], &moved)
		}
	}
}

// read answers Journal.Read if it can; ok is false if the disk must be asked.
func (r *recent) read(source string, after Position, maxBytes int) (frames []*Frame, ok bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	list := r.bySource[source]
	if len(list) == 0 || list[0].First > after+1 {
		return nil, false
	}
	i := sort.Search(len(list), func(i int) bool { return list[i].Last() > after })
	size := 0
	for _, f := range list[i:] {
		frames = append(frames, f)
		if size += f.Bytes; size >= maxBytes {
			break
		}
	}
	return frames, true
}
