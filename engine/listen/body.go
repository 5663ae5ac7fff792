package listen

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// A body has this long to begin, and must then keep up minRate on average.
const (
	bodyGrace = 10 * time.Second
	minRate   = 16 << 10 // bytes a second
)

// hangupTime is how long a client whose body nobody reads may go on sending
// before it is cut off; meanwhile it can read its answer.
const hangupTime = 2 * time.Second

// Body reads the body of a request and loses patience with a sender that is too
// slow: reads then fail with an error that TooSlow knows. Done must be called
// when the body has been read.
type Body struct {
	body    io.Reader
	control *http.ResponseController
	begun   time.Time
	read    int64 // so far
	renew   int64 // the deadline is moved when so much has been read
}

// NewBody makes the reader of r's body; w is the writer that came with r.
func NewBody(w http.ResponseWriter, r *http.Request) Body {
	return Body{body: r.Body, control: http.NewResponseController(w), begun: time.Now()}
}

// Read reads on, up to the deadline that the bytes read so far allow.
func (b *Body) Read(p []byte) (int, error) {
	if b.read >= b.renew {
		earned := time.Duration(b.read) * time.Second / minRate
		// A writer without deadlines (a test's recorder) has no slow peer either.
		_ = b.control.SetReadDeadline(b.begun.Add(bodyGrace + earned))
		b.renew = b.read + minRate
	}
	n, err := b.body.Read(p)
	b.read += int64(n)
	return n, err
}

// Done lifts the deadline: while the request is worked on, the server goes on
// reading to see whether the client leaves, and would take a deadline for that.
func (b *Body) Done() { _ = b.control.SetReadDeadline(time.Time{}) }

// TooSlow tells whether a read of a Body failed because its sender was too slow.
func TooSlow(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// Hangup makes the answer the connection's last: for a request whose body was
// not, or not wholly, read. It must be called before the answer is written.
func Hangup(w http.ResponseWriter, r *http.Request) {
	if r.Body == nil || r.Body == http.NoBody {
		return
	}
	if r.ProtoMajor == 1 { // HTTP/2 resets the one stream
		w.Header().Set("Connection", "close")
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(hangupTime))
}
