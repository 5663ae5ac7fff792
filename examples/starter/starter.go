// Package starter is the configuration that syncd init writes: an example as well,
// so that it is known to run.
package starter

import _ "embed"

// Config is the text of the file.
//
//go:embed syncd.hcl
var Config []byte

// Order is what can be posted to it.
//
//go:embed orders.json
var Order []byte
