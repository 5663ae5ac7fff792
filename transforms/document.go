package transforms

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/syncd/syncd/engine/component"
)

// document is the content of a value.
type document struct {
	raw    []byte
	isText bool // its characters are decoded
}

// documentOf gives the bytes of a value: of a text, or of an attachment, an object with
// content, which is base64 where its encoding says so. That stands beside a text which is
// the content of an attachment, too.
func documentOf(v any, e *component.Event) (document, error) {
	switch v := v.(type) {
	case string:
		if inBase64(v, e) {
			return fromBase64(v)
		}
		return document{[]byte(v), true}, nil
	case map[string]any:
		content, ok := v["content"].(string)
		switch {
		case !ok:
			return document{}, errors.New("from is an object that is no attachment: it has no content")
		case v["encoding"] == "base64":
			return fromBase64(content)
		}
		return document{[]byte(content), true}, nil
	case nil:
		return document{}, errors.New("from is nil: filter out first what has no document")
	}
	return document{}, fmt.Errorf("from is %s, not a document", describe(v))
}

func fromBase64(text string) (document, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return document{}, fmt.Errorf("read base64: %w", err)
	}
	return document{raw: raw}, nil
}

// inBase64 tells whether text is the content of an attachment of the event that says so.
func inBase64(text string, e *component.Event) bool {
	for _, v := range []any{e.Body, e.Parent, e.Meta} {
		m, _ := v.(map[string]any)
		list, _ := m["attachments"].([]any)
		for _, a := range append(list[:len(list):len(list)], m) {
			a, _ := a.(map[string]any)
			if a["encoding"] == "base64" && a["content"] == text {
				return true
			}
		}
	}
	return false
}

// pathOf is a field of the body, from the outside in; nil: the body itself.
func pathOf(as string) []string {
	if as == "" {
		return nil
	}
	return strings.Split(as, ".")
}

func checkPath(p *component.Problems, as string) {
	switch path := pathOf(as); {
	case slices.Contains(path, ""), strings.ContainsAny(as, "[]*{} "):
		p.Error("as", fmt.Sprintf("%q is no path of a field", as), `Write names joined by single dots: "order.lines".`)
	case len(path) > 1 && path[0] == "body":
		p.Warn("as", fmt.Sprintf("%q starts at the body", as), fmt.Sprintf("Paths start inside the body. Did you mean %q?", strings.TrimPrefix(as, "body.")))
	}
}

// put is the event with v in the place of the body, or of a field of it.
func put(e *component.Event, path []string, v any) ([]*component.Event, error) {
	body, err := within(e.Body, path, v)
	if err != nil {
		return nil, err
	}
	return one(e.With(body)), nil
}

// within copies o along the path, at the end of which v is. Objects that are missing are made.
func within(o any, path []string, v any) (any, error) {
	if len(path) == 0 {
		return v, nil
	}
	m, ok := o.(map[string]any)
	if !ok && o != nil {
		return nil, fmt.Errorf("set %s: what it would be a field of is %s, not an object", path[0], describe(o))
	}
	inner, err := within(m[path[0]], path[1:], v)
	if err != nil {
		return nil, err
	}
	out := make(map[string]any, len(m)+1)
	maps.Copy(out, m)
	out[path[0]] = inner
	return out, nil
}
