package expr

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPath(t *testing.T) {
	for text, want := range map[string][]string{
		"response.body.orders":        {"response", "body", "orders"},
		"response.body['new orders']": {"response", "body", "new orders"},
		"response?.body?.orders":      {"response", "body", "orders"},
		"response":                    {"response"},
		"response.body.orders ?? []":  nil,
		"response.body.orders[0]":     nil,
		"filter(response.body, .a)":   nil,
		"response.body[record]":       nil,
	} {
		got, ok := seeing(t, text).Path()
		if ok != (want != nil) || ok && !cmp.Equal(got, want) {
			t.Errorf("%s: %q, %t", text, got, ok)
		}
	}
	if _, ok := (Expr{}).Path(); ok {
		t.Error("an expression that is not set leads somewhere")
	}
}

func TestMaySee(t *testing.T) {
	for text, want := range map[string]bool{
		"response.body.next":                         false,
		"response.body.meta.next.token":              false,
		"response.status == 410":                     false,
		"response.headers['x-next']":                 false,
		"record.orders":                              false,
		"let a = response.body.next; a + 'x'":        false,
		"response.body.orders":                       true,
		"len(response.body.orders) < 10":             true,
		"response.body.orders[0].id":                 true,
		"response.body":                              true,
		"keys(response.body)":                        true,
		"let r = response; r.status":                 true,
		"response.body[record.name]":                 true,
		"response.body.next ?? response.body.orders": true,
		"response['body'].page >= response.body.n":   false,
	} {
		if got := seeing(t, text).MaySee("response", "body", "orders"); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
	both := Object([]Field{{Name: "a", Value: seeing(t, "response.body.next")}, {Name: "b", Value: List([]Expr{seeing(t, "response.body.orders")})}})
	if !both.MaySee("response", "body", "orders") || Constant(1).MaySee("response") || (Expr{}).MaySee("response") {
		t.Error("objects, constants or what is not set are misjudged")
	}
}

func seeing(t *testing.T, text string) Expr {
	t.Helper()
	x, err := Compile(Source{Text: text}, &Scope{Names: []string{"record", "response"}})
	if err != nil {
		t.Fatal(err)
	}
	return x
}
