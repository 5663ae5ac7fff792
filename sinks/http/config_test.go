package http

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

func TestValidate(t *testing.T) {
	cfg := newConfig()
	cfg.Path = template(t, "/a/%zz", expr.Path)
	cfg.Headers = map[string]expr.Template{
		"Content-Length": template(t, "5", expr.Header),
		"X-Good":         template(t, "{{ body.x }}", expr.Header),
		"X-Long":         template(t, "a\r\nX-Evil: b", expr.Header),
	}
	var p component.Problems
	cfg.Validate(&p)
	want := []component.Problem{
		{Attr: "headers", Summary: "header not allowed", Detail: "Content-Length is part of how a request travels; syncd sets it."},
		{Attr: "headers", Summary: "line break in a header", Detail: "The value of X-Long must be a single line."},
		{Attr: "path", Summary: "not the path of a URL", Detail: "A % begins an escape such as %20; write %25 for itself."},
	}
	if d := cmp.Diff(want, p.List); d != "" {
		t.Error(d)
	}
}
