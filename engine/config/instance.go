package config

import (
	"fmt"
	"slices"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/spelling"
)

// instancesOf are the components of a block with for_each that m means.
func (d *decoding) instancesOf(block *declared, m mention, f *field, many bool) []component.Address {
	r := block.repeat
	base := m.base()
	switch {
	case m.key == nil && !many:
		d.error(m.at, fmt.Sprintf("%s has a for_each", base), fmt.Sprintf("%s takes one component. %s", f.name, keysHint(base, r)))
	case r.open:
		return []component.Address{base.Instance(unknownKey)}
	case len(r.keys) == 0:
		d.error(m.at, fmt.Sprintf("there is no %s", m.address()), fmt.Sprintf("The for_each of %s at %s is empty.", base, block.place()))
	case m.key == nil || m.open && many:
		return allOf(base, r)
	case m.open:
		return allOf(base, r)[:1]
	default:
		if _, found := slices.BinarySearch(r.keys, *m.key); found {
			return []component.Address{m.address()}
		}
		d.error(m.keyAt, fmt.Sprintf("there is no %s", m.address()), unknownKeyHint(*m.key, base, r))
	}
	return nil
}

// isOpen tells whether which components m means is not known here.
func (l *loader) isOpen(m mention) bool {
	block := l.index[m.base()]
	return m.open || block != nil && block.repeat != nil && block.repeat.open
}

func allOf(base component.Address, r *repeat) []component.Address {
	all := make([]component.Address, len(r.keys))
	for i, key := range r.keys {
		all[i] = base.Instance(key)
	}
	return all
}

func keysHint(base component.Address, r *repeat) string {
	switch n := len(r.keys); {
	case r.open || n == 0:
		return fmt.Sprintf("Say which: %s[KEY].", base)
	case n == 1:
		return fmt.Sprintf("Did you mean %s?", base.Instance(r.keys[0]))
	}
	return fmt.Sprintf("Say which: %s[KEY], where KEY is %s.", base, either(shortList(r.keys)))
}

func unknownKeyHint(key string, base component.Address, r *repeat) string {
	if best := spelling.Nearest(key, r.keys); best != "" {
		return fmt.Sprintf("Did you mean %s?", base.Instance(best))
	}
	return fmt.Sprintf("The keys of its for_each are %s.", list(shortList(r.keys)))
}

// shortList quotes keys, of many only the first.
func shortList(keys []string) []string {
	const most = 10
	var quoted []string
	for i, key := range keys {
		if i == most {
			return append(quoted, fmt.Sprintf("%d more", len(keys)-most))
		}
		quoted = append(quoted, component.QuoteKey(key))
	}
	return quoted
}
