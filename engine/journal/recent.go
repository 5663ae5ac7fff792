package journal

import (
	"sort"
	"sync"
)

// recentBytes bounds the frames kept in memory, over all sources, as counted by weight.
const recentBytes = 16 << 20

// recent holds the newest frames of each source, without gaps, for those who keep up.
type recent struct {
	mu       sync.RWMutex
	bySource map[string][]*Frame
	order    []*Frame // all, the oldest first
	weight   int
}

func newRecent() *recent { return &recent{bySource: map[string][]*Frame{}} }

// weight estimates what a decoded frame takes in memory.
func weight(f *Frame) int {
	const record, value = 200, 24
	n := f.Bytes + record*len(f.Events)
	if len(f.Events) > 0 {
		n += value * len(f.Events) * len(f.Events[0].Payload.Values)
	}
	return n
}

// add takes in the frame that follows its source's last, and lets the oldest go.
func (r *recent) add(f *Frame) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bySource[f.Source] = append(r.bySource[f.Source], f)
	r.order = append(r.order, f)
	r.weight += weight(f)
	for r.weight > recentBytes {
		old := r.order[0]
		r.order[0] = nil
		r.order = r.order[1:]
		list := r.bySource[old.Source]
		list[0] = nil
		r.bySource[old.Source] = list[1:]
		r.weight -= weight(old)
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
