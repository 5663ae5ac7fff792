package config

import "testing"

func TestNearest(t *testing.T) {
	known := []string{"hmac", "path", "xml", "debug", "columns", "listener"}
	for name, want := range map[string]string{
		"hmca": "hmac", "pth": "path", "dbug": "debug", "column": "columns", "lisetner": "listener", "isteners": "listener",
		"yaml": "", "batch": "", "": "", "é": "", "x": "",
	} {
		if got := nearest(name, known); got != want {
			t.Errorf("nearest to %q is %q, want %q", name, got, want)
		}
	}
}
