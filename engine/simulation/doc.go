// Package simulation searches for broken promises: it runs the real journal and
// the real flows, with fake sinks around them, through random histories of
// accepted events, crashes, disk errors, restarts, reloads, steps of the clock and
// operators, and checks after each operation that nothing is lost,
// doubled, reordered or miscounted.
//
// A history is decided by its seed alone and runs in virtual time. It consists of
// tests only; a failure prints the command that runs its seed again.
package simulation
