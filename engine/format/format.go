// Package format reads and writes the formats of the outside world: JSON, NDJSON,
// CSV, XML, forms and text. It knows nothing of events.
//
// Decoded values are nil, bool, int64, float64, json.Number (a number that
// neither of the two can hold), string, []any and map[string]any.
package format

// maxDepth bounds the nesting of what is read and written: far more than any
// real document, far less than what would exhaust a stack.
const maxDepth = 200
