package journal

import "slices"

const (
	// smallBuffer is what every task may keep for the next.
	smallBuffer = 64 << 10
	// largeBuffer is what the journal keeps, one of them.
	largeBuffer = 1 << 20
)

// buffers holds a buffer for the next large append, as those of a file come one
// after the other.
type buffers chan []byte

func newBuffers() buffers { return make(chan []byte, 1) }

// of gives a buffer for size bytes: have, or the one that is kept.
func (b buffers) of(size int, have []byte) []byte {
	if size <= cap(have) {
		return have
	}
	if size > smallBuffer {
		select {
		case kept := <-b:
			return slices.Grow(kept, size)
		default:
		}
	}
	return slices.Grow(have, size)
}

// keep takes back what an append has used.
func (b buffers) keep(buf []byte) {
	if cap(buf) <= smallBuffer || cap(buf) > largeBuffer {
		return
	}
	select {
	case b <- buf[:0]:
	default:
	}
}
