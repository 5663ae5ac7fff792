package intake

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/syncd/syncd/engine/component"
)

// masked stands where a value was.
const masked = "***"

// minScrub is the length from which a masked value is looked for in texts: "5"
// is found everywhere and gives nothing away.
const minScrub = 4

// mask hides one field wherever it occurs: lists are walked through.
type mask struct {
	meta bool // of meta, else of body
	path []string
}

func parseMasks(redact []string) ([]mask, error) {
	var masks []mask
	for _, r := range redact {
		if !component.IsRedactPath(r) {
			return nil, fmt.Errorf("redact: %q is not a field", r)
		}
		root, path, _ := strings.Cut(r, ".")
		m := mask{meta: root == "meta"}
		if path != "" {
			m.path = strings.Split(path, ".")
		}
		masks = append(masks, m.spread()...)
	}
	return masks, nil
}

// spread makes a header's mask reach both places where headers stand; their
// names are kept in lower case.
func (m mask) spread() []mask {
	if !m.meta || len(m.path) < 2 || m.path[0] != "header" && m.path[0] != "headers" {
		return []mask{m}
	}
	name := strings.ToLower(m.path[1])
	return []mask{{meta: true, path: []string{"header", name}}, {meta: true, path: []string{"headers", name}}}
}

// apply masks the field in d and adds what it hid to hidden.
func (m mask) apply(d *component.Draft, hidden []string) []string {
	switch {
	case m.meta:
		_, hidden = hide(d.Meta, m.path, hidden)
	case d.Names == nil:
		d.Body, hidden = hide(d.Body, m.path, hidden)
	default:
		for i, name := range d.Names {
			if len(m.path) == 0 || len(m.path) == 1 && m.path[0] == name {
				d.Values[i], hidden = hide(d.Values[i], nil, hidden)
			}
		}
	}
	return hidden
}

// hide gives v with the field at path masked; v is changed in place where it can be.
func hide(v any, path []string, hidden []string) (any, []string) {
	if len(path) == 0 {
		if v == nil {
			return nil, hidden
		}
		return masked, leaves(v, hidden)
	}
	switch v := v.(type) {
	case map[string]any:
		if child, ok := v[path[0]]; ok {
			v[path[0]], hidden = hide(child, path[1:], hidden)
		}
	case []any:
		for i := range v {
			v[i], hidden = hide(v[i], path, hidden)
		}
	}
	return v, hidden
}

// leaves adds the texts and numbers within v to hidden, as they would be printed.
func leaves(v any, hidden []string) []string {
	switch v := v.(type) {
	case string:
		return append(hidden, v)
	case int64:
		return append(hidden, strconv.FormatInt(v, 10))
	case float64:
		return append(hidden, strconv.FormatFloat(v, 'f', -1, 64))
	case json.Number:
		return append(hidden, v.String())
	case map[string]any:
		for _, child := range v {
			hidden = leaves(child, hidden)
		}
	case []any:
		for _, child := range v {
			hidden = leaves(child, hidden)
		}
	}
	return hidden
}

// scrub takes hidden values out of an error's text.
func scrub(err error, hidden []string) error {
	text := err.Error()
	for _, v := range hidden {
		if len(v) >= minScrub {
			text = strings.ReplaceAll(text, v, masked)
		}
	}
	if text == err.Error() {
		return err
	}
	return errors.New(text)
}
