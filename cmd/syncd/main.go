// Command syncd takes events in, durably, and brings them through flows written
// in HCL to where they belong. Each subcommand has a file of its own.
package main

import (
	"os"

	_ "time/tzdata" // time zones, also where the machine has none
)

func main() { os.Exit(execute(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
