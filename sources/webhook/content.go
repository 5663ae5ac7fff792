package webhook

import (
	"bytes"
	"context"
	"errors"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/format"
	"github.com/syncd/syncd/engine/listen"
)

// maxContentType bounds a Content-Type: it is kept with the event.
const maxContentType = 256

// form is what a request's header says of its body.
type form struct {
	family format.Family
	typ    string // of the draft; "" when none was given
	gzip   bool
}

// typeJSON is what most bodies are stored under.
const typeJSON = "application/json"

// form refuses what would not be understood, before it is read.
func (x *exchange) form() (form, *listen.Problem) {
	f, p := x.contentType(x.r.Header.Get("Content-Type"))
	if p != nil {
		return f, p
	}
	switch strings.ToLower(x.r.Header.Get("Content-Encoding")) {
	case "", "identity":
	case "gzip", "x-gzip":
		f.gzip = true
	default:
		x.w.Header().Set("Accept-Encoding", "gzip") // RFC 9110, section 15.5.16
		return f, unsupported("of all content encodings, gzip is understood")
	}
	return f, nil
}

func (x *exchange) contentType(header string) (form, *listen.Problem) {
	switch header {
	case "":
		return form{}, nil
	case typeJSON, "application/json; charset=utf-8", "application/json;charset=utf-8", "application/json; charset=UTF-8", "application/json;charset=UTF-8":
		return form{family: format.JSON, typ: typeJSON}, nil
	}
	typ, params, err := mime.ParseMediaType(header)
	if err != nil || len(header) > maxContentType {
		return form{}, unsupported("the Content-Type cannot be read")
	}
	f := form{family: format.Of(header), typ: header}
	switch f.family {
	case format.JSON:
		f.typ = typeJSON
		fallthrough
	case format.NDJSON:
		if c := strings.ToLower(params["charset"]); c != "" && c != "utf-8" && c != "utf8" && c != "us-ascii" {
			return f, unsupported("JSON must be UTF-8, not " + c)
		}
	case format.Binary:
		if f.typ = typ; !x.takes(typ) {
			return f, unsupported(typ + " is not taken here (the source's `accept` says what is, beside JSON, NDJSON, CSV, forms, XML and text)")
		}
	}
	return f, nil
}

// takes tells whether the source's accept lists the type.
func (x *exchange) takes(typ string) bool {
	for _, a := range x.config.Accept {
		if main, all := strings.CutSuffix(strings.ToLower(a), "/*"); all && (main == "*" || strings.HasPrefix(typ, main+"/")) {
			return true
		}
		if strings.EqualFold(a, typ) {
			return true
		}
	}
	return false
}

func unsupported(detail string) *listen.Problem {
	return &listen.Problem{Status: http.StatusUnsupportedMediaType, Detail: detail}
}

// draft makes the event of a body that has been read and whose sender is known.
func (x *exchange) draft(f form, raw []byte) (component.Draft, *listen.Problem) {
	if f.gzip && len(raw) > 0 {
		var p *listen.Problem
		if raw, p = x.gunzip(bytes.NewReader(raw)); p != nil {
			return component.Draft{}, p
		}
	}
	if f.typ == "" {
		f, raw = guess(raw)
	}
	if err := x.check(f, raw); err != nil {
		return component.Draft{}, broken(err)
	}
	return component.Draft{ContentType: f.typ, Raw: raw, RawMeta: x.meta()}, nil
}

// guess reads a body without a Content-Type: JSON if it parses, else text. No
// body at all is null.
func guess(raw []byte) (form, []byte) {
	switch {
	case len(raw) == 0:
		return form{family: format.Binary, typ: typeJSON}, []byte("null")
	case format.CheckJSON(raw) == nil:
		return form{family: format.Binary, typ: typeJSON}, raw // nothing is left to be checked
	}
	return form{family: format.Text, typ: "text/plain; charset=utf-8"}, raw
}

// check makes sure that the body can be decoded later, by whoever needs it.
func (x *exchange) check(f form, raw []byte) error {
	switch f.family {
	case format.Binary:
		return nil
	case format.JSON:
		return format.CheckJSON(raw)
	case format.NDJSON:
		return checkLines(raw)
	case format.Text:
		if _, params, err := mime.ParseMediaType(f.typ); err == nil && params["charset"] == "" && utf8.Valid(raw) {
			return nil
		}
	}
	if err := x.decoders.Acquire(x.r.Context(), 1); err != nil {
		return err
	}
	defer x.decoders.Release(1)
	_, err := format.Decode(f.typ, raw)
	return err
}

// checkLines checks NDJSON line by line, without making anything of it.
func checkLines(raw []byte) error {
	offset, number := 0, 1
	for line := range bytes.Lines(raw) {
		if len(bytes.TrimSpace(line)) > 0 {
			var fault *format.SyntaxError
			if err := format.CheckJSON(bytes.TrimRight(line, "\r\n")); errors.As(err, &fault) {
				return &format.SyntaxError{Offset: offset + fault.Offset, Line: number, Column: fault.Column, Msg: fault.Msg}
			}
		}
		offset, number = offset+len(line), number+1
	}
	return nil
}

// broken says where a body does not keep to its format.
func broken(err error) *listen.Problem {
	var syntax *format.SyntaxError
	var charset *format.CharsetError
	switch {
	case errors.As(err, &syntax):
		return &listen.Problem{
			Status: http.StatusBadRequest, Detail: syntax.Error(),
			At: &listen.Position{Offset: syntax.Offset, Line: syntax.Line, Column: syntax.Column},
		}
	case errors.As(err, &charset):
		return unsupported(charset.Error())
	case errors.Is(err, context.Canceled):
		return &listen.Problem{Status: http.StatusServiceUnavailable, RetryAfter: busyPause}
	}
	return &listen.Problem{Status: http.StatusBadRequest, Detail: err.Error()}
}
