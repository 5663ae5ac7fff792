package poll

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/syncd/syncd/engine/expr"
)

func TestPreview(t *testing.T) {
	api := serve(t, tokens(300, 100))
	p := newPoller(t, api.URL, newMemory(false), func(c *Config) {
		byToken(c)
		c.Request.Query = map[string]expr.Template{"key": tmpl("s3cret/value", expr.Text)}
		c.Cursor = &Cursor{Initial: int64(7), Next: x("record.n"), From: "record", Keep: "max"}
	})
	got, err := p.Preview(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	if got.Count != 100 || len(got.Records) != 2 || got.Cursor != int64(99) || p.accepts != 0 || len(api.asked()) != 1 {
		t.Errorf("%+v, %d commits", got, p.accepts)
	}
	for _, text := range []string{got.Request, got.Next} {
		if strings.Contains(text, "s3cret") || !strings.Contains(text, "key=(sensitive)") {
			t.Error(text)
		}
	}
	if !strings.HasSuffix(strings.SplitN(got.Next, "\n", 2)[0], "&after=100") {
		t.Error(got.Next)
	}
}

func TestPreviewOfAFailure(t *testing.T) {
	api := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(401)
		fmt.Fprint(w, "who are you?")
	})
	p := newPoller(t, api.URL, newMemory(false), nil)
	got, err := p.Preview(t.Context(), 2)
	if err == nil || !strings.Contains(err.Error(), "answered 401 Unauthorized: who are you?") || got.Status != 401 || !strings.HasPrefix(got.Request, "GET "+api.URL+"/records") {
		t.Errorf("%+v, %v", got, err)
	}
}
