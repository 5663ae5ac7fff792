// Package row holds objects of one shape: many records whose fields have the same
// names, of which each keeps only its values.
package row

import (
	"iter"
	"slices"
)

// Shape is the names of an object's fields. It never changes, and one *Shape serves
// all the records of that shape; two of equal names are as good as one.
type Shape struct {
	names  []string
	index  map[string]int
	sorted []int
}

// NewShape makes the shape of these names. Where one comes more than once, its last
// value counts.
func NewShape(names []string) *Shape {
	s := &Shape{names: names, index: make(map[string]int, len(names))}
	for i, name := range names {
		s.index[name] = i
	}
	for _, i := range s.index {
		s.sorted = append(s.sorted, i)
	}
	slices.SortFunc(s.sorted, func(a, b int) int {
		if names[a] < names[b] {
			return -1
		}
		return 1
	})
	return s
}

// Is tells whether the shape is that of these names, in this order.
func (s *Shape) Is(names []string) bool {
	if len(s.names) == len(names) && (len(names) == 0 || &s.names[0] == &names[0]) {
		return true
	}
	return slices.Equal(s.names, names)
}

// Index is where a field's value stands; false: there is no such field.
func (s *Shape) Index(name string) (int, bool) {
	i, ok := s.index[name]
	return i, ok
}

// Len is the number of fields.
func (s *Shape) Len() int { return len(s.sorted) }

// Names gives the fields' names, sorted.
func (s *Shape) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, i := range s.sorted {
			if !yield(s.names[i]) {
				return
			}
		}
	}
}

// Row is an object of a shape. It is read-only.
type Row struct {
	Shape  *Shape
	Values []any // in the order of the shape's names
}

// Len is the number of fields.
func (r *Row) Len() int { return r.Shape.Len() }

// All gives the fields, sorted by name.
func (r *Row) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, i := range r.Shape.sorted {
			if !yield(r.Shape.names[i], r.Values[i]) {
				return
			}
		}
	}
}

// Map is the same object for those who know nothing of rows.
func (r *Row) Map() map[string]any {
	m := make(map[string]any, r.Len())
	for name, v := range r.All() {
		m[name] = v
	}
	return m
}
