//go:build !linux

package engine

// releaseText is for Linux.
func releaseText() {}
