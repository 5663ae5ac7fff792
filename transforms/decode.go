package transforms

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/format"
	"github.com/syncd/syncd/engine/records"
)

// Decode makes records of a document that stands in the body.
var Decode = component.StepKind("decode", "Reads a document in the body, an attachment say: it becomes the list of its records.",
	func() *DecodeConfig { return &DecodeConfig{} },
	func(_ component.Env, c *DecodeConfig) (component.Step, error) { return &decode{c, pathOf(c.As)}, nil })

// DecodeConfig is a decode's block.
type DecodeConfig struct {
	From   expr.Expr      `hcl:"from" doc:"The document: a text, or an attachment. Without it, the body." example:"\"body.attachments[0].content\""`
	As     string         `hcl:"as" doc:"The field of the body that becomes the records, names joined by dots. Without it, they become the body." example:"\"lines\""`
	Format records.Format `hcl:",label" doc:"The document's format."`
}

// Validate checks what the tags cannot say.
func (c *DecodeConfig) Validate(p *component.Problems) {
	checkPath(p, c.As)
	c.Format.ForReading(p, "")
}

type decode struct {
	*DecodeConfig
	as []string
}

// Apply gives the event with the document's records. One that cannot be read fails the
// event as a whole.
func (s *decode) Apply(_ context.Context, e *component.Event) ([]*component.Event, error) {
	v, err := from(s.From, e)
	if err != nil {
		return nil, err
	}
	doc, err := documentOf(v, e)
	if err != nil {
		return nil, s.failed(err)
	}
	if s.Format.XLSX != nil && doc.isText {
		if doc, err = fromBase64(string(doc.raw)); err != nil {
			return nil, s.failed(fmt.Errorf("a workbook is no text, but base64: %w", err))
		}
	}
	list, err := s.Format.Decode(doc.raw, doc.isText)
	if err != nil {
		return nil, s.failed(err)
	}
	return put(e, s.as, list)
}

// maxShown is how much of a record that cannot be read an error repeats.
const maxShown = 200

func (s *decode) failed(err error) error {
	var fault *format.RecordError
	if errors.As(err, &fault) && len(fault.Raw) > 0 {
		raw := strings.ToValidUTF8(string(fault.Raw[:min(len(fault.Raw), maxShown)]), "\ufffd")
		if len(fault.Raw) > maxShown {
			raw += "…"
		}
		return fmt.Errorf("read %s: %w; the record is %q", s.Format.Name(), err, raw)
	}
	return fmt.Errorf("read %s: %w", s.Format.Name(), err)
}

// from is what a step works on.
func from(x expr.Expr, e *component.Event) (any, error) {
	if !x.IsSet() {
		return e.Body, nil
	}
	return x.Eval(e.Input())
}
