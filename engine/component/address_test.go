package component

import "testing"

func TestAddressOfInstance(t *testing.T) {
	for key, want := range map[string]Address{
		"cl":         `flow.f["cl"]`,
		"a.b c/d[0]": `flow.f["a.b c/d[0]"]`,
		`say "x"\`:   `flow.f["say \"x\"\\"]`,
		"${a} %{b}$": `flow.f["$${a} %%{b}$"]`,
		"ñ 日本":       `flow.f["ñ 日本"]`,
		"a\u202eb":   `flow.f["a\u202eb"]`,
		"\U000e0001": `flow.f["\U000e0001"]`,
	} {
		got := Address("flow.f").Instance(key)
		if got != want {
			t.Errorf("%q: %s, want %s", key, got, want)
		}
		if got.Base() != "flow.f" {
			t.Errorf("%q: base %s", key, got.Base())
		}
	}
	if got := Address("flow.f").Base(); got != "flow.f" {
		t.Errorf("base %s", got)
	}
}
