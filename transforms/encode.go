package transforms

import (
	"context"
	"encoding/base64"
	"fmt"
	"unicode/utf8"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/records"
)

// Encode makes a document of records in the body.
var Encode = component.StepKind("encode", "Writes records of the body as one document, a text in the body.",
	func() *EncodeConfig { return &EncodeConfig{} },
	func(_ component.Env, c *EncodeConfig) (component.Step, error) { return &encode{c, pathOf(c.As)}, nil })

// EncodeConfig is an encode's block.
type EncodeConfig struct {
	From   expr.Expr      `hcl:"from" doc:"The records: a list, or one alone. Without it, the body." example:"\"body.lines\""`
	As     string         `hcl:"as" doc:"The field of the body that becomes the document, names joined by dots. Without it, the document becomes the body." example:"\"report\""`
	Format records.Format `hcl:",label" doc:"The document's format."`
}

// Validate checks what the tags cannot say.
func (c *EncodeConfig) Validate(p *component.Problems) {
	checkPath(p, c.As)
	if c.Format.XML != nil && c.Format.IsOne() {
		return
	}
	c.Format.ForWriting(p, "")
}

type encode struct {
	*EncodeConfig
	as []string
}

// Apply gives the event with the document: a text or, of a format that is none, base64.
func (s *encode) Apply(_ context.Context, e *component.Event) ([]*component.Event, error) {
	v, err := from(s.From, e)
	if err != nil {
		return nil, err
	}
	out, err := s.Format.Encode(v)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", s.Format.Name(), err)
	}
	if s.Format.IsBinary() {
		return put(e, s.as, base64.StdEncoding.EncodeToString(out))
	}
	if !utf8.Valid(out) {
		return nil, fmt.Errorf("write %s: a text in it is not valid UTF-8", s.Format.Name())
	}
	return put(e, s.as, string(out))
}
