package format

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strings"
	"unicode/utf8"
)

// cellError is what is wrong with a row, at an offset in it.
type cellError struct {
	at  int
	err error
	end int // how far a closing quote was looked for
}

func (e *cellError) Error() string { return e.err.Error() }

func recordError(place Place, raw []byte, err error) *RecordError {
	e := &RecordError{Place: place, Raw: cut(trimBreak(raw)), Err: err}
	if at, ok := err.(*cellError); ok {
		e.Err = at.err
		if before := raw[:min(at.at, len(raw))]; bytes.IndexByte(before, '\n') < 0 {
			e.Column = utf8.RuneCount(before) + 1
		}
	}
	return e
}

// parse finds the cells of the row that begins at the input's place, and tells how
// long it is and how many line breaks it has.
func (c *CSVReader) parse() (size int, breaks int64, err error) {
	if size = c.first; c.tooLong {
		return 0, 0, errTooLong
	}
	line := c.in.text(size)
	if line[size-1] == '\n' {
		breaks = 1
	}
	c.cells, c.joined = c.cells[:0], nil
	if len(c.quote) > 0 && bytes.Contains(line, c.quote) {
		return c.parseQuoted(size, breaks)
	}
	line = trimBreak(line)
	c.split(line)
	return size, breaks, nil
}

// split finds the cells of a line without quotes.
func (c *CSVReader) split(line []byte) {
	if len(c.delim) == 1 {
		c.cells = splitByte(c.cells, line, c.delim[0])
		return
	}
	from, cells := 0, c.cells
	for {
		n := bytes.Index(line[from:], c.delim)
		if n < 0 {
			break
		}
		cells = append(cells, cell{from, from + n, from})
		from += n + len(c.delim)
	}
	c.cells = append(cells, cell{from, len(line), from})
}

// splitByte looks at eight bytes at a time: most cells are too short for a call of
// bytes.IndexByte to be worth it.
func splitByte(cells []cell, line []byte, delim byte) []cell {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	pattern := ones * uint64(delim)
	from, at := 0, 0
	for ; at+8 <= len(line); at += 8 {
		word := binary.LittleEndian.Uint64(line[at:]) ^ pattern
		// The lowest top bit that is left stands for the first byte that is zero; those
		// above it may be wrong, so that each hit is taken out before the next is sought.
		for hits := (word - ones) &^ word & tops; hits != 0; hits = (word - ones) &^ word & tops {
			n := bits.TrailingZeros64(hits) &^ 7
			end := at + n>>3
			cells = append(cells, cell{from, end, from})
			from = end + 1
			word |= 0xff << n
		}
	}
	for ; at < len(line); at++ {
		if line[at] == delim {
			cells = append(cells, cell{from, at, from})
			from = at + 1
		}
	}
	return append(cells, cell{from, len(line), from})
}

// parseQuoted joins the cells of a row in which there are quotes, which may go on
// over several lines. size is the length of the lines read so far.
func (c *CSVReader) parseQuoted(size int, breaks int64) (int, int64, error) {
	c.joined = c.room[:0]
	defer func() { c.room = c.joined }()
	for at := 0; ; {
		line := trimBreak(c.in.text(size))
		start := len(c.joined)
		if !bytes.HasPrefix(line[at:], c.quote) {
			n := bytes.Index(line[at:], c.delim)
			if n < 0 {
				n = len(line) - at
			}
			if q := bytes.Index(line[at:at+n], c.quote); q >= 0 && !c.o.Lazy {
				return 0, 0, &cellError{at: at + q, err: errors.New("a quote inside a cell that does not begin with one; lazy_quotes = true takes it as it stands")}
			}
			c.joined = append(c.joined, line[at:at+n]...)
			c.cells = append(c.cells, cell{start, len(c.joined), at})
			if at += n; at == len(line) {
				return size, breaks, nil
			}
			at += len(c.delim)
			continue
		}
		next, grown, more, err := c.quotedCell(at, size)
		if err != nil {
			return 0, 0, err
		}
		c.cells = append(c.cells, cell{start, len(c.joined), at})
		size, breaks = grown, breaks+more
		line = trimBreak(c.in.text(size))
		if next == len(line) {
			return size, breaks, nil
		}
		at = next + len(c.delim)
	}
}

// quotedCell joins the cell whose opening quote is at at, and gives the offset
// behind the closing one. The row grows by the lines that the cell goes on over.
func (c *CSVReader) quotedCell(at, size int) (next, grown int, breaks int64, err error) {
	q := len(c.quote)
	pos := at + q
	for {
		text := c.in.text(size)
		n := bytes.Index(text[pos:], c.quote)
		if n < 0 {
			c.joined = append(c.joined, text[pos:]...)
			pos = size
			if size, err = c.nextLine(size, at); err != nil {
				return 0, 0, 0, err
			}
			breaks += int64(bytes.Count(c.in.text(size)[pos:], []byte{'\n'}))
			continue
		}
		c.joined = append(c.joined, text[pos:pos+n]...)
		pos += n + q
		switch rest := trimBreak(text)[pos:]; {
		case len(rest) == 0 || bytes.HasPrefix(rest, c.delim):
			return pos, size, breaks, nil
		case bytes.HasPrefix(rest, c.quote):
			c.joined = append(c.joined, c.quote...)
			pos += q
		case c.o.Lazy:
			c.joined = append(c.joined, c.quote...)
		default:
			return 0, 0, 0, &cellError{at: at, err: errors.New("this cell goes on behind its closing quote; a quote inside is written twice, or taken as it stands with lazy_quotes = true")}
		}
	}
}

// nextLine makes the row longer by a line, for the cell at at.
func (c *CSVReader) nextLine(size, at int) (int, error) {
	unclosed := &cellError{at: at, err: errors.New("this quote is never closed"), end: size}
	if c.in.base+int64(c.in.pos+size) <= c.hopeless {
		unclosed.end = 0
		return 0, unclosed
	}
	longer, err := c.in.lineEnd(size)
	switch err {
	case io.EOF:
		return 0, unclosed
	case errTooLong:
		unclosed.end = longer
		unclosed.err = fmt.Errorf("this quote is not closed within %d MiB", MaxRecord>>20)
		return 0, unclosed
	}
	return longer, err
}

// rowText is the text that the cells are parts of.
func (c *CSVReader) rowText(raw []byte) (string, error) {
	if err := c.in.check(raw); err != nil {
		return "", err
	}
	if c.joined != nil {
		raw = c.joined
	}
	return c.slab.text(raw), nil
}

// values of the row whose cells have been found.
func (c *CSVReader) values(raw []byte) ([]any, error) {
	text, err := c.rowText(raw)
	if err != nil {
		return nil, err
	}
	if c.names == nil {
		c.names = numbered(len(c.cells))
		if err := c.setTypes(); err != nil {
			return nil, err
		}
	}
	if len(c.cells) != len(c.names) {
		if err := c.checkWidth(); err != nil {
			return nil, err
		}
	}
	texts, values := c.slab.row(len(c.names))
	for i, at := range c.cells {
		if c.kinds == nil {
			texts[i] = text[at.from:at.to]
			values[i] = box(&texts[i])
			continue
		}
		if values[i], err = c.kinds[i].read(text[at.from:at.to]); err != nil {
			return nil, &cellError{at: at.at, err: fmt.Errorf("column %q: %w", c.names[i], err)}
		}
	}
	return values, nil
}

// checkWidth of a row with more or fewer cells than there are columns.
func (c *CSVReader) checkWidth() error {
	got, want := len(c.cells), len(c.names)
	if c.o.Ragged {
		for got > want && c.cells[got-1].from == c.cells[got-1].to {
			got--
		}
		c.cells = c.cells[:got]
		if got <= want {
			return nil
		}
	}
	what := "header"
	if c.o.NoHeader {
		what = "first row"
		if c.o.Columns != nil {
			what = "list of columns"
		}
	}
	return fmt.Errorf("%s where the %s has %d", plural(got, "cell"), what, want)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// numbered names the columns of a table that does not.
func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("column%d", i+1)
	}
	return names
}

// some of the names, for a message.
func some(names []string) string {
	if len(names) > 12 {
		return strings.Join(names[:12], ", ") + fmt.Sprintf(" and %d more", len(names)-12)
	}
	return strings.Join(names, ", ")
}
