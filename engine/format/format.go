// Package format reads and writes the formats of the outside world. It knows
// nothing of events.
package format
