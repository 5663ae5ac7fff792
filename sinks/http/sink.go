// Package http is the sink that sends each event as an HTTP request, or several as one.
package http

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	nethttp "net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/syncd/syncd/engine/component"
	conn "github.com/syncd/syncd/engine/connect/http"
	"github.com/syncd/syncd/engine/connect/scrub"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/format"
)

//go:embed page.md
var page string

// Kind declares sink "http".
var Kind = component.SinkKind("http", "Sends each event as an HTTP request.", newConfig, open).WithPage(page)

// keyHeader carries the delivery's ID, as the IETF's draft "The Idempotency-Key
// HTTP Header Field" has it.
const keyHeader = "Idempotency-Key"

// largestRoom is the largest buffer that is kept for the next body.
const largestRoom = 64 << 10

type sink struct {
	cfg      *Config
	client   *conn.Client
	now      func() time.Time
	encoding encoding
	header   nethttp.Header // what every request sends
	host     string
	query    []param // in the order of their names
	varying  []param // headers with holes
	signers  []signer
	scrub    scrub.Scrubber
	limit    int       // bytes of an answer that are read
	decodes  bool      // answers, for expressions
	room     sync.Pool // *[]byte in which bodies are made
}

type param struct {
	name     string // of a query parameter: encoded
	template expr.Template
}

var _ component.Paced = (*sink)(nil)

func open(env component.Env, cfg *Config) (component.Sink, error) {
	client, err := component.Connect[*conn.Client](env, cfg.Connection)
	if err != nil {
		return nil, fmt.Errorf("use %s: %w", cfg.Connection.Address, err)
	}
	s := &sink{cfg: cfg, client: client, now: env.Now, encoding: encodings[cfg.Encode], header: client.Header()}
	if s.cfg.sendsBody() {
		s.header["Content-Type"] = []string{s.encoding.contentType}
	}
	if s.signers, err = newSigners(cfg.Sign); err != nil {
		return nil, err
	}
	secrets := s.setHeaders(cfg.Headers)
	for name, t := range cfg.Query {
		s.query = append(s.query, param{url.QueryEscape(name), t})
		if value, ok := t.Literal(); ok {
			secrets = append(secrets, value)
		}
		secrets = append(secrets, t.Secrets()...)
	}
	slices.SortFunc(s.query, byName)
	s.scrub = client.Scrubber(secrets)
	s.limit = quoted + s.scrub.Overlap()
	if s.decodes = cfg.Success.IsSet() || cfg.RetryOn.IsSet() || client.Judges(); s.decodes {
		s.limit = max(s.limit, readable)
	}
	if cfg.Results != nil {
		s.limit = max(s.limit, listed)
	}
	return s, nil
}

// setHeaders sorts the configured headers into those that never change and those
// with holes, and tells what of them must not show.
func (s *sink) setHeaders(headers map[string]expr.Template) (secrets []string) {
	for name, t := range headers {
		name = nethttp.CanonicalHeaderKey(name)
		secrets = append(secrets, t.Secrets()...)
		value, literal := t.Literal()
		switch {
		case !literal:
			s.varying = append(s.varying, param{name, t})
		case name == "Host":
			s.host = value
		default:
			s.header[name] = []string{value}
			secrets = append(secrets, conn.HeaderSecrets(name, value)...)
		}
	}
	slices.SortFunc(s.varying, byName)
	return secrets
}

func byName(a, b param) int {
	if a.name < b.name {
		return -1
	}
	return 1
}

// Await implements component.Paced.
func (s *sink) Await(ctx context.Context) error { return s.client.Await(ctx) }

// Done implements component.Paced.
func (s *sink) Done() { s.client.Done() }

// Deliver sends each delivery, or all as a batch, and judges the answer.
func (s *sink) Deliver(ctx context.Context, ds []component.Delivery) component.Result {
	if s.cfg.Batch != nil {
		return s.deliverBatch(ctx, ds)
	}
	var errs []error
	for i := range ds {
		if err := s.send(ctx, &ds[i]); err != nil {
			if errs == nil {
				errs = make([]error, len(ds))
			}
			errs[i] = err
		}
	}
	return component.Result{Errors: errs}
}

func (s *sink) send(ctx context.Context, d *component.Delivery) error {
	in := d.Event.Input()
	r := conn.Request{Method: s.cfg.Method, Host: s.host}
	r.Header = s.header.Clone()
	if err := s.fill(&r, r.Header, d.ID, in); err != nil {
		return component.Permanent(err)
	}
	resp, err := s.client.DoNow(ctx, &r, s.limit)
	if err != nil {
		return err
	}
	return s.judge(resp, in)
}

// fill completes the request from the event. Its errors are the event's.
func (s *sink) fill(r *conn.Request, h nethttp.Header, id string, in *expr.Input) (err error) {
	h[keyHeader] = []string{id}
	if err := s.place(r, h, in); err != nil {
		return err
	}
	if s.cfg.sendsBody() {
		value, err := s.valueOf(in)
		if err != nil {
			return err
		}
		if r.Body, err = s.encode(value); err != nil {
			return err
		}
	}
	s.sign(h, id, r.Body)
	return nil
}

// place fills in where the request goes: headers, path and query.
func (s *sink) place(r *conn.Request, h nethttp.Header, in *expr.Input) (err error) {
	for _, p := range s.varying {
		value, err := p.template.Eval(in)
		if err != nil {
			return fmt.Errorf("fill header %s: %w", p.name, err)
		}
		if p.name == "Host" {
			r.Host = value
			continue
		}
		h[p.name] = []string{value}
	}
	if s.cfg.Path.IsSet() {
		if r.Path, err = s.cfg.Path.Eval(in); err != nil {
			return fmt.Errorf("fill path: %w", err)
		}
	}
	r.Query, err = s.queryOf(in)
	return err
}

func (s *sink) sign(h nethttp.Header, id string, body []byte) {
	for _, sign := range s.signers {
		sign(h, id, s.now(), body)
	}
}

func (s *sink) queryOf(in *expr.Input) (string, error) {
	if len(s.query) == 0 {
		return "", nil
	}
	var q []byte
	for i, p := range s.query {
		value, err := p.template.Eval(in)
		if err != nil {
			return "", fmt.Errorf("fill query parameter %s: %w", p.name, err)
		}
		if i > 0 {
			q = append(q, '&')
		}
		q = append(append(q, p.name...), '=')
		q = append(q, url.QueryEscape(value)...)
	}
	return string(q), nil
}

// valueOf is what is sent of an event, before it is encoded.
func (s *sink) valueOf(in *expr.Input) (any, error) {
	if !s.cfg.Body.IsSet() {
		return in.Body, nil
	}
	value, err := s.cfg.Body.Eval(in)
	if err != nil {
		return nil, fmt.Errorf("compute body: %w", err)
	}
	return value, nil
}

func (s *sink) encode(value any) ([]byte, error) {
	room, _ := s.room.Get().(*[]byte)
	if room == nil {
		room = new([]byte)
	}
	b, err := s.encoding.append((*room)[:0], value)
	body := bytes.Clone(b) // the request may outlive this call
	if cap(b) <= largestRoom {
		*room = b
	}
	s.room.Put(room)
	return body, err
}

// encoding is a way to send a value.
type encoding struct {
	contentType string
	append      func(dst []byte, v any) ([]byte, error)
}

var encodings = map[string]encoding{
	"json":   {"application/json", format.AppendJSON},
	"form":   {"application/x-www-form-urlencoded", format.AppendForm},
	"xml":    {"application/xml; charset=utf-8", format.AppendXML},
	"ndjson": {"application/x-ndjson", appendLines},
	"text":   {"text/plain; charset=utf-8", appendText},
}

// appendLines writes each element of a list on a line of its own; anything but a
// list is one line.
func appendLines(dst []byte, v any) ([]byte, error) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var w format.NDJSONWriter
	for i, record := range list {
		var err error
		if dst, err = w.Append(dst, int64(i), record); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func appendText(dst []byte, v any) ([]byte, error) {
	s, err := format.Scalar(v)
	return append(dst, s...), err
}
