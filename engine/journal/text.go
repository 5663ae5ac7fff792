package journal

import (
	"crypto/sha256"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

const textFind = "SELECT id FROM texts WHERE hash = ?"

// packedText is a text as it is stored: once, by its hash.
type packedText struct {
	plain string
	hash  [sha256.Size]byte
	known bool   // the database seems to have it
	body  []byte // compressed; nil: not yet
}

func hashText(s string) *packedText {
	return &packedText{plain: s, hash: sha256.Sum256([]byte(s))}
}

// packTexts compresses what is not known. An encoder takes some memory and time to
// make, far more than a text does: there is one for all of them, and none when they
// are done.
func packTexts(texts ...*packedText) {
	var e *zstd.Encoder
	for _, t := range texts {
		if t.known || t.body != nil {
			continue
		}
		if e == nil {
			e = newEncoder()
		}
		t.body = e.EncodeAll([]byte(t.plain), []byte{})
	}
}

func newEncoder() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	if err != nil {
		panic(err) // of options that are wrong
	}
	return e
}

// text is the number of the stored text, which is stored if need be.
func (w *writer) text(t *packedText) (int64, error) {
	id, err := w.conn.integer(textFind, t.hash[:])
	if err == nil && id == 0 {
		t.known = false // any more
		packTexts(t)
		id, err = w.conn.insert("INSERT INTO texts (hash, body) VALUES (?, ?)", t.hash[:], t.body)
	}
	if err != nil {
		return 0, fmt.Errorf("write text: %w", err)
	}
	return id, nil
}

// unpackTexts fills in the files' texts.
func unpackTexts(files []ConfigFile, bodies [][]byte) error {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		panic(err) // of options that are wrong
	}
	defer d.Close()
	for i, b := range bodies {
		plain, err := d.DecodeAll(b, nil)
		if err != nil {
			return fmt.Errorf("decode %s: %w", files[i].Name, err)
		}
		files[i].Text = string(plain)
	}
	return nil
}
