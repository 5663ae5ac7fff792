package smtp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	// firstRoom is what a mail gets to begin with; more is taken as it comes.
	firstRoom = 16 << 10
	// inMemory is how much of a mail is kept in memory while it comes in and waits. No
	// header that is read is as long, so that what is there tells who wrote the mail.
	inMemory = 1<<20 + 2*maxLine
	// spoolRoom is what is read at a time of a mail that goes to a file.
	spoolRoom = 64 << 10
)

var (
	errTooLarge = errors.New("mail too large")
	errBusy     = errors.New("too much is being received")
	errSpool    = errors.New("the mail could not be put aside")
)

// received is a mail as it came: in memory or, if it is larger than inMemory, in a file
// that nobody else sees and that is gone when it is closed.
type received struct {
	head []byte   // all of it, or how it begins
	file *os.File // all of it; nil: head is
	size int64
	ends lineEnds
}

func (r *received) close() {
	if r.file != nil {
		_ = r.file.Close() // nothing of it is needed any more
	}
}

// reader reads the mail from its beginning.
func (r *received) reader() io.Reader {
	if r.file == nil {
		return bytes.NewReader(r.head)
	}
	return io.NewSectionReader(r.file, 0, r.size)
}

// whole brings all of the mail into memory.
func (r *received) whole() ([]byte, error) {
	if r.file == nil {
		return r.head, nil
	}
	raw := make([]byte, r.size)
	if _, err := io.ReadFull(r.reader(), raw); err != nil {
		return nil, fmt.Errorf("%w: %w", errSpool, err)
	}
	return raw, nil
}

// read reads the mail to its end.
func (m *incoming) read(src io.Reader) (*received, error) {
	r := &received{}
	err := m.readHead(r, src)
	if err == nil {
		err = m.spool(r, src)
	}
	if err == io.EOF {
		return r, nil
	}
	m.close() // at once: giving up a large file takes its time, and others need the room
	r.close()
	return nil, err
}

// readHead reads the mail into memory as far as it is kept there; io.EOF: that was all.
// Room is reserved before it is taken; while it grows, old and new count.
func (m *incoming) readHead(r *received, src io.Reader) error {
	limit := min(int64(m.config.MaxMessage)+1, inMemory)
	for r.size < limit {
		if len(r.head) == cap(r.head) {
			old := int64(cap(r.head))
			room := min(max(2*old, firstRoom), limit)
			if !m.hold(room) {
				return errBusy
			}
			grown := make([]byte, len(r.head), room)
			copy(grown, r.head)
			r.head = grown
			m.release(old)
		}
		n, err := m.readInto(r, src, r.head[len(r.head):cap(r.head)])
		r.head = r.head[:len(r.head)+n]
		if err == io.EOF && cap(r.head)-len(r.head) > len(r.head)/4 { // the event may be kept in memory for long
			r.head = bytes.Clone(r.head)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readInto reads some of the mail; io.EOF comes alone or with the last of it.
func (m *incoming) readInto(r *received, src io.Reader, buf []byte) (int, error) {
	n, err := src.Read(buf)
	m.conn.receiving()
	r.size += int64(n)
	r.ends.see(buf[:n])
	if r.size > int64(m.config.MaxMessage) {
		return n, errTooLarge
	}
	return n, err
}

// spool puts the mail into a file and reads what is left of it; io.EOF: that was all.
func (m *incoming) spool(r *received, src io.Reader) (err error) {
	if r.file, err = m.source.env.Spool(); err != nil {
		return fmt.Errorf("%w: %w", errSpool, err)
	}
	if _, err := r.file.Write(r.head); err != nil {
		return fmt.Errorf("%w: %w", errSpool, err)
	}
	buf := make([]byte, spoolRoom)
	for {
		if !m.hold(spoolRoom) {
			return errBusy
		}
		n, err := m.readInto(r, src, buf)
		if n > 0 && !errors.Is(err, errTooLarge) {
			if _, err := r.file.Write(buf[:n]); err != nil {
				return fmt.Errorf("%w: %w", errSpool, err)
			}
		}
		m.release(spoolRoom - int64(n))
		if err != nil {
			return err
		}
	}
}

// lineEnds looks for line ends that are half of one: programs differ on whether a mail
// ends there, and who knows that gets mails past one of them.
type lineEnds struct {
	last  byte
	found string
}

func (e *lineEnds) see(b []byte) {
	for _, c := range b {
		if e.found != "" {
			return
		}
		switch {
		case c == '\n' && e.last != '\r':
			e.found = "bare line feed"
		case c != '\n' && e.last == '\r':
			e.found = "bare carriage return"
		}
		e.last = c
	}
}

// bare names the first of them, "" for none in a mail that was seen to its end.
func (e *lineEnds) bare() string {
	if e.found == "" && e.last == '\r' {
		return "bare carriage return"
	}
	return e.found
}
