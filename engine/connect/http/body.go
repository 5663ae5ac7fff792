package http

import (
	"bytes"
	"io"
	nethttp "net/http"
)

// drained is how much of an answer that nobody wants is read, so that the
// connection can be used again; beyond it a new connection is cheaper.
const drained = 64 << 10

// newBody makes a request's body. net/http sends one that it knows to be in memory
// together with the head; any other one costs a write of its own.
func newBody(b []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(b)) }

func read(resp *nethttp.Response, limit int) (*Response, error) {
	defer resp.Body.Close()
	answer := &Response{Status: resp.StatusCode, Header: resp.Header}
	if resp.ContentLength == 0 {
		return answer, nil
	}
	if limit > 0 {
		if err := readBody(answer, resp, limit); err != nil {
			return nil, err
		}
	}
	// What is left is of no interest; an error in it neither.
	n, _ := io.CopyN(io.Discard, resp.Body, drained)
	answer.Truncated = answer.Truncated || n > 0
	return answer, nil
}

// drain reads the rest of an answer that nobody wants, and ends it.
func drain(resp *nethttp.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, drained)
	_ = resp.Body.Close()
}

func readBody(answer *Response, resp *nethttp.Response, limit int) error {
	if n := resp.ContentLength; n > 0 && n <= int64(limit) {
		answer.Body = make([]byte, n)
		_, err := io.ReadFull(resp.Body, answer.Body)
		return err
	}
	var err error
	answer.Body, err = io.ReadAll(io.LimitReader(resp.Body, int64(limit)))
	return err
}
