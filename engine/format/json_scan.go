package format

// jsonScan finds where a JSON value ends, piece by piece. It looks at brackets and
// strings only; whether the value is one at all, CheckJSON tells.
type jsonScan struct {
	depth   int
	begun   bool
	scalar  bool // a number or a word, which ends before what follows it
	text    bool // inside a string
	escaped bool // behind a backslash
}

// inText holds the bytes that end a run of text: quote and backslash.
var inText = func() (t [256]bool) {
	for c := range t {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// structural holds the bytes that mean something outside of strings.
var structural = func() (t [256]bool) {
	for _, c := range `"{}[]` {
		t[c] = true
	}
	return t
}()

// scan takes what of b belongs to the value; done tells that it ends there.
func (s *jsonScan) scan(b []byte) (n int, done bool) {
	if !s.begun && len(b) > 0 {
		s.begun = true
		s.scalar = !structural[b[0]]
	}
	if s.scalar {
		return scalarEnd(b)
	}
	for n < len(b) {
		if s.text {
			if n = s.inString(b, n); s.text {
				return n, false
			}
		} else {
			for n < len(b) && !structural[b[n]] {
				n++
			}
			if n == len(b) {
				break
			}
			s.bracket(b[n])
			n++
		}
		if s.depth <= 0 && !s.text {
			return n, true
		}
	}
	return n, false
}

// inString goes on behind the end of the string, or to the end of b.
func (s *jsonScan) inString(b []byte, n int) int {
	for n < len(b) {
		switch {
		case s.escaped:
			s.escaped = false
		case inText[b[n]]:
		case b[n] == '\\':
			s.escaped = true
		default:
			s.text = false
			return n + 1
		}
		n++
	}
	return n
}

func (s *jsonScan) bracket(c byte) {
	switch c {
	case '"':
		s.text = true
	case '{', '[':
		s.depth++
	default:
		s.depth--
	}
}

func scalarEnd(b []byte) (int, bool) {
	for i, c := range b {
		switch c {
		case ' ', '\t', '\r', '\n', ',', ']', '}':
			return i, true
		}
	}
	return len(b), false
}
