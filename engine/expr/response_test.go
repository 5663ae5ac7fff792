package expr

import (
	"errors"
	"testing"
)

// TestResponse: what a response has is known at load, and what it holds is looked at
// nevertheless.
func TestResponse(t *testing.T) {
	scope := &Scope{Names: []string{"body", "response"}}
	for text, want := range map[string]string{
		"response.sttus < 300":     `a response has no sttus: only body, headers, status`,
		"response.status == '200'": `this compares a number with text, which are never equal`,
		"lower(response.status)":   `lower needs text, but response.status is a number`,
	} {
		_, err := Compile(Source{Text: text}, scope)
		var e *Error
		if !errors.As(err, &e) || e.Message != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	x, err := Compile(Source{Text: "response.status"}, scope)
	if err != nil || x.CheckBool() == nil {
		t.Errorf("a status is taken for true or false: %v", err)
	}
	for _, text := range []string{"response.status < 300", "response.status + 1", "-response.status", "response.headers['a'] == response.body.x", "len(response.headers)", "response.status in [1, 2]", "response.status ?? 1"} {
		x, err := Compile(Source{Text: text}, scope)
		if err != nil {
			t.Fatal(text, err)
		}
		for _, response := range []any{nil, map[string]any{}, map[string]any{"status": "200", "headers": "x"}, map[string]any{"status": int64(200), "headers": map[string]any{}}} {
			if _, err := x.Eval(&Input{Response: response}); err != nil {
				var e *Error
				if !errors.As(err, &e) {
					t.Errorf("%s of %v: %v", text, response, err)
				}
			}
		}
	}
}
