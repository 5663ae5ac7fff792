package journal

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// ID is an event's id: 48 bits of Unix milliseconds, then randomness, so that ids
// sort by time.
type ID [16]byte

// String is the id as expressions, answers and logs show it: 32 hex digits.
func (id ID) String() string {
	var text [2 * len(id)]byte
	hex.Encode(text[:], id[:])
	return string(text[:])
}

// NewID makes the id of an event accepted at t.
func NewID(t time.Time) ID {
	var id ID
	rand.Read(id[6:])
	ms := uint64(t.UnixMilli())
	binary.BigEndian.PutUint16(id[:], uint16(ms>>32))
	binary.BigEndian.PutUint32(id[2:], uint32(ms))
	return id
}
