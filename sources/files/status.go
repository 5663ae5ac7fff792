package files

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
)

// status is what a source tells of itself.
type status struct {
	row    atomic.Int64 // of the file being read
	mu     sync.Mutex
	looks  bool   // a run is under way, and could look into the directory
	path   string // being read; "": none is
	left   tally  // by the last look
	faults int
	last   string // failure of a file
}

// well tells whether the run that is under way has begun well: then what the last one
// failed of is over.
func (s *status) well() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.looks
}

func (s *status) looking(well bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looks = well
}

func (s *status) begin(path string, row int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.path = path
	s.row.Store(row)
}

func (s *status) at(row int64) { s.row.Store(row) }

func (s *status) counted(t tally) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = t
}

func (s *status) failed(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults++
	s.last = text
}

// note is a line on what is under way and what is not as it should be.
func (s *status) note() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var parts []string
	if s.path != "" {
		parts = append(parts, fmt.Sprintf("reading %q, row %d", s.path, s.row.Load()))
	}
	if n := s.left.settling; n > 0 {
		parts = append(parts, count(n, "file")+" yet to settle")
	}
	if n := s.left.unmarked; n > 0 {
		parts = append(parts, count(n, "file")+" without done_marker")
	}
	if s.faults > 0 {
		parts = append(parts, fmt.Sprintf("%s failed, the last: %s", count(s.faults, "file"), s.last))
	}
	return strings.Join(parts, "; ")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
