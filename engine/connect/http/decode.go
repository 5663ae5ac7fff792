package http

import (
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const acceptEncoding = "gzip, zstd"

// zstdWindow is the most that a zstd decoder has to keep, 8 MiB by RFC 9659.
const zstdWindow = 8 << 20

// decode undoes the Content-Encoding of a body. Nothing is read before the first Read,
// and an empty body is empty whatever it says it is.
func decode(encodings []string, from io.Reader) io.ReadCloser {
	coding := strings.ToLower(strings.TrimSpace(strings.Join(encodings, ", ")))
	switch coding {
	case "", "identity":
		return io.NopCloser(from)
	}
	return &decoder{coding: coding, from: from}
}

type decoder struct {
	coding string
	from   io.Reader
	to     io.ReadCloser // nil before the first Read
}

func (d *decoder) Read(p []byte) (n int, err error) {
	if d.to == nil {
		if err := d.begin(); err != nil {
			return 0, err
		}
	}
	return d.to.Read(p)
}

func (d *decoder) begin() error {
	first := make([]byte, 1)
	if _, err := io.ReadFull(d.from, first); err != nil {
		return err
	}
	from := io.MultiReader(strings.NewReader(string(first)), d.from)
	switch d.coding {
	case "gzip", "x-gzip":
		r, err := gzip.NewReader(from)
		if err != nil {
			return fmt.Errorf("decode gzip: %w", err)
		}
		d.to = r
	case "zstd":
		r, err := zstd.NewReader(from, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return fmt.Errorf("decode zstd: %w", err)
		}
		d.to = r.IOReadCloser()
	default:
		return fmt.Errorf("the answer is encoded as %q; syncd reads gzip and zstd", d.coding)
	}
	return nil
}

func (d *decoder) Close() error {
	if d.to == nil {
		return nil
	}
	return d.to.Close()
}
