// Package bench measures the daemon as a whole: it builds syncd, starts it as a
// process of its own over a state directory on disk, and drives it over HTTP.
// Beside it run small references of the package's own, since a ratio to something
// that ran a moment ago on the same machine says more than a figure.
//
// It holds nothing but benchmarks and what they need; `make bench` runs them.
package bench
