package config

import (
	"reflect"
	"testing"
)

func TestGuessUnit(t *testing.T) {
	for _, c := range []struct {
		typ         reflect.Type
		wrote, want string
	}{
		{durationType, "30", "30s"}, {durationType, "5 min", "5m"}, {durationType, "5min", "5m"}, {durationType, "1h30", "1h30m"},
		{durationType, "1 hour 30 minutes", "1h30m"}, {durationType, "90 seconds", "90s"}, {durationType, "2 weeks", "14d"},
		{durationType, "1 day", "1d"}, {durationType, "500 ms", "500ms"}, {durationType, "5M", "5m"}, {durationType, "1,5h", "1.5h"},
		{durationType, "soon", ""}, {durationType, "", ""}, {durationType, "5 parsecs", ""}, {durationType, "-5m", ""}, {durationType, "PT5M", ""},
		{sizeType, "10mb", "10MB"}, {sizeType, "5 MB", "5MB"}, {sizeType, "5M", "5MiB"}, {sizeType, "5000000", "5000000B"}, {sizeType, "1 gib", "1GiB"},
		{sizeType, "512 kilobytes", "512KB"}, {sizeType, "1.5GiB", ""}, {sizeType, "huge", ""},
		{rateType, "10 per second", "10/s"}, {rateType, "10", "10/s"}, {rateType, "10/sec", "10/s"}, {rateType, "10rps", "10/s"},
		{rateType, "600 per minute", "600/m"}, {rateType, "10 / s", "10/s"}, {rateType, "10/day", ""}, {rateType, "fast", ""},
	} {
		want := ""
		if c.want != "" {
			want = "Did you mean \"" + c.want + "\"?"
		}
		if got := guessUnit(c.typ, c.wrote); got != want {
			t.Errorf("%q: %s, want %s", c.wrote, got, want)
		}
	}
}
