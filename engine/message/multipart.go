package message

import "bytes"

// parts takes a multipart body apart, into one part more than limit at most; false says
// that its boundary is not in it. What
// stands before the first part and behind the last is for readers without MIME (RFC
// 2046, section 5.1.1). An end that is missing is where the body ends.
//
// go-message reads multiparts too, and gives up at the first fault: here, what follows
// it is still there.
func parts(body []byte, boundary string, limit int) (all [][]byte, found bool) {
	if boundary == "" {
		return nil, false
	}
	delimiter := []byte("--" + boundary)
	start, last := -1, false
	for at := 0; at < len(body) && !last && len(all) <= limit; {
		n := delimiterAt(body[at:], delimiter)
		if n < 0 {
			break
		}
		n += at
		line, _ := cutLine(body[n:])
		tail := bytes.TrimRight(line[len(delimiter):], " \t\r\n")
		at = n + len(line)
		if last = string(tail) == "--"; !last && len(tail) > 0 {
			continue // another boundary, which begins like this one
		}
		if start >= 0 {
			all = append(all, trimBreak(body[start:n]))
		}
		start, found = at, true
	}
	if found && !last && start < len(body) {
		all = append(all, body[start:])
	}
	return all, found
}

// delimiterAt finds a line that begins with the delimiter, -1 for none.
func delimiterAt(b, delimiter []byte) int {
	for at := 0; ; {
		n := bytes.Index(b[at:], delimiter)
		if n < 0 {
			return -1
		}
		if n += at; n == 0 || b[n-1] == '\n' {
			return n
		}
		at = n + len(delimiter)
	}
}

// trimBreak takes off the line break that belongs to the delimiter after a part.
func trimBreak(b []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
}
