package bench

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// message reads HTTP/1.1 messages, one after the other, into the same memory. Load
// and sink share the processors with what they measure, so they do only what the
// measured peers need: bodies by Content-Length or in chunks.
type message struct {
	start []byte // request line or status line
	body  []byte
	last  bool // the connection is not used again
}

var (
	contentLength    = []byte("Content-Length")
	transferEncoding = []byte("Transfer-Encoding")
	connection       = []byte("Connection")
)

func (m *message) read(r *bufio.Reader) error {
	line, err := readLine(r)
	if err != nil {
		return err
	}
	m.start, m.body, m.last = append(m.start[:0], line...), m.body[:0], false
	length, chunked := 0, false
	for {
		if line, err = readLine(r); err != nil {
			return err
		}
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, contentLength):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return fmt.Errorf("read Content-Length: %w", err)
			}
		case bytes.EqualFold(name, transferEncoding):
			chunked = true
		case bytes.EqualFold(name, connection):
			m.last = bytes.EqualFold(value, []byte("close"))
		}
	}
	if chunked {
		return m.readChunks(r)
	}
	return m.readBytes(r, length)
}

func (m *message) readChunks(r *bufio.Reader) error {
	for {
		line, err := readLine(r)
		if err != nil {
			return err
		}
		size, err := strconv.ParseUint(string(line), 16, 31)
		if err != nil {
			return fmt.Errorf("read size of chunk: %w", err)
		}
		if err := m.readBytes(r, int(size)); err != nil {
			return err
		}
		if line, err = readLine(r); err != nil {
			return err
		}
		if len(line) > 0 {
			return errors.New("read chunk: trailing bytes")
		}
		if size == 0 {
			return nil
		}
	}
}

func (m *message) readBytes(r *bufio.Reader, n int) error {
	old := len(m.body)
	m.body = append(m.body, make([]byte, n)...)
	_, err := io.ReadFull(r, m.body[old:])
	return err
}

// status is the code of a status line.
func (m *message) status() (int, error) {
	if len(m.start) < len("HTTP/1.1 200") {
		return 0, fmt.Errorf("read status line: %q", m.start)
	}
	return strconv.Atoi(string(m.start[9:12]))
}

func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	return bytes.TrimRight(line, "\r\n"), err
}
