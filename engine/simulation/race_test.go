//go:build race

package simulation

// racing is set where the race detector makes everything many times slower.
const racing = true
