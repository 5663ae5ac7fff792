package spelling

import "testing"

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"same", "SAME", 0}, {"form", "from", 1}, {"hmca", "hmac", 1},
		{"boddy", "body", 1}, {"señor", "senor", 1}, {"kitten", "sitting", 3}, {"ca", "abc", 3}, {"sort", "set", 2},
	} {
		if got := Distance(c.a, c.b); got != c.want {
			t.Errorf("%q to %q: %d, want %d", c.a, c.b, got, c.want)
		}
		if got := Distance(c.b, c.a); got != c.want {
			t.Errorf("%q to %q: %d, want %d", c.b, c.a, got, c.want)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"hmac", "path", "xml", "debug", "columns", "listener", "base_url", "max_size", "max_body", "set", "split"}
	for name, want := range map[string]string{
		"hmca": "hmac", "pth": "path", "dbug": "debug", "column": "columns", "lisetner": "listener", "isteners": "listener",
		"yaml": "", "batch": "", "": "", "é": "", "x": "", "url": "base_url", "size": "max_size", "max": "", "sort": "", "spilt": "split",
	} {
		if got := Nearest(name, known); got != want {
			t.Errorf("nearest to %q is %q, want %q", name, got, want)
		}
	}
}
