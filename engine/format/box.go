package format

import (
	"strings"
	"unsafe"
)

// slab makes rows of values that are strings with one allocation for several rows.
// Putting each string into an interface by itself would be one for each cell,
// which takes longer than finding the cells.
type slab struct {
	texts  []string
	values []any
	room   strings.Builder // for what they are parts of
}

const (
	slabSize = 256     // cells
	slabText = 8 << 10 // bytes
)

// text is raw as a string.
func (s *slab) text(raw []byte) string {
	if have := s.room.Cap(); have-s.room.Len() < len(raw) {
		s.room.Reset()
		s.room.Grow(max(len(raw), min(2*have, slabText)))
	}
	from := s.room.Len()
	s.room.Write(raw)
	return s.room.String()[from:]
}

func (s *slab) row(width int) ([]string, []any) {
	if len(s.texts) < width {
		n := max(width, slabSize/max(width, 1)*width)
		s.texts, s.values = make([]string, n), make([]any, n)
	}
	texts, values := s.texts[:width:width], s.values[:width:width]
	s.texts, s.values = s.texts[width:], s.values[width:]
	return texts, values
}

// face is how the runtime lays out an any.
type face struct{ typ, data unsafe.Pointer }

var (
	anyString  any = "text"
	stringType     = (*face)(unsafe.Pointer(&anyString)).typ
)

// box is *s as an any, without a copy of it; *s must never change afterwards.
func box(s *string) (v any) {
	*(*face)(unsafe.Pointer(&v)) = face{stringType, unsafe.Pointer(s)}
	return v
}
