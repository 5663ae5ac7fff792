package webhook

import (
	"encoding/base64"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/format"
	"github.com/syncd/syncd/engine/listen"
)

func TestMeta(t *testing.T) {
	h := newHook(t, func(c *Config) { c.Path, c.Methods = "/hooks/{store}/{rest...}", []string{"PUT"} })
	r := httptest.NewRequest("PUT", `/hooks/caf%C3%A9%22/a/b?page=2&tag=a&tag=b&empty=&bad=%zz&q=%3C%26%00`, strings.NewReader("{}"))
	r.SetPathValue("store", `café"`)
	r.SetPathValue("rest", "a/b")
	r.RemoteAddr = "[::ffff:192.0.2.7]:4711"
	h.send(r, "Content-Type", "application/json", "X-Event-ID", "e1", "X-Event-ID", "e2",
		"X-Odd", "\xff\"\\\t", "Cookie", "session", "Authorization", "Bearer x", "Proxy-Authorization", "Basic x")
	want := map[string]any{
		"header":    map[string]any{"content-type": "application/json", "host": "example.com", "x-event-id": "e1", "x-odd": "\ufffd\"\\\t"},
		"headers":   map[string]any{"content-type": []any{"application/json"}, "host": []any{"example.com"}, "x-event-id": []any{"e1", "e2"}, "x-odd": []any{"\ufffd\"\\\t"}},
		"method":    "PUT",
		"params":    map[string]any{"store": `café"`, "rest": "a/b"},
		"path":      `/hooks/café"/a/b`,
		"query":     map[string]any{"page": "2", "tag": []any{"a", "b"}, "empty": "", "q": "<&\x00"},
		"remote_ip": "192.0.2.7",
	}
	if diff := cmp.Diff(want, h.lastMeta(t)); diff != "" {
		t.Error(diff)
	}
	if _, err := format.DecodeJSON(h.last(t).RawMeta); err != nil {
		t.Error(err)
	}
}

func TestParamsOverTheNetwork(t *testing.T) {
	h := newHook(t, func(c *Config) { c.Path = "/hooks/{store}" })
	res, err := newClient(t).Post(serve(t, listen.Config{}, h)+"/hooks/a%2Fb?x=1", "", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	meta := h.lastMeta(t)
	if diff := cmp.Diff(map[string]any{"store": "a/b"}, meta["params"]); diff != "" {
		t.Error(diff)
	}
	if meta["remote_ip"] != "127.0.0.1" || meta["path"] != "/hooks/a/b" {
		t.Errorf("%v", meta)
	}
}

// What a sender authenticates itself with is not kept, wherever it stands.
func TestCredentialsAreNotInMeta(t *testing.T) {
	const planted = "pl4nted s3cret/+"
	secret := component.NewSecret(planted)
	escaped := "pl4nted+s3cret%2F%2B"
	basic := base64.StdEncoding.EncodeToString([]byte("shop:" + planted))
	tests := []struct {
		name   string
		verify Verify
		url    string
		header []string
	}{
		{"bearer", Verify{Bearer: &Bearer{Token: secret}}, "/hook?copy=" + escaped, []string{"Authorization", "Bearer " + planted}},
		{"basic", Verify{Basic: &Basic{User: "shop", Password: secret}}, "/hook", []string{"Authorization", "Basic " + basic}},
		{"header", Verify{APIKey: &APIKey{Header: "x-api-KEY", Value: secret}}, "/hook", []string{"X-Api-Key", planted}},
		{"query", Verify{APIKey: &APIKey{Query: "key", Value: secret}}, "/hook?a=1&key=" + escaped, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newHook(t, func(c *Config) { c.Verify = []Verify{test.verify} })
			r := httptest.NewRequest("POST", test.url, strings.NewReader("{}"))
			// As proxies do it.
			header := append(test.header, "X-Original-Uri", "/hook?key="+escaped, "Referer", "http://x/?k="+planted, "X-Kept", "kept")
			if w := h.send(r, header...); w.Code != 202 {
				t.Fatalf("got %d %s", w.Code, w.Body)
			}
			raw := string(h.last(t).RawMeta)
			for _, s := range []string{planted, escaped, basic, "s3cret"} {
				if strings.Contains(raw, s) {
					t.Errorf("%q is in %s", s, raw)
				}
			}
			if !strings.Contains(raw, `"x-kept":"kept"`) {
				t.Errorf("too much is hidden: %s", raw)
			}
		})
	}
	h := newHook(t, func(c *Config) { c.Verify = []Verify{{GitHub: &GitHub{Secret: secret}}, {None: &None{}}} })
	h.post("{}", "X-Hub-Signature", "sha1=0", "X-Hub-Signature-256", "sha256=0", "X-GitHub-Event", "ping")
	if raw := string(h.last(t).RawMeta); strings.Contains(raw, "signature") || !strings.Contains(raw, "x-github-event") {
		t.Errorf("meta %s", raw)
	}
}

func TestContentTypes(t *testing.T) {
	tests := []struct {
		name, contentType, body string
		want                    any
		stored                  string // content type of the draft
	}{
		{"json", "application/json", `{"a":[1,2.5]}`, map[string]any{"a": []any{int64(1), 2.5}}, "application/json"},
		{"json with charset", `application/json; charset="UTF-8"`, `1`, int64(1), "application/json"},
		{"json by suffix", "application/cloudevents+json", `true`, true, "application/json"},
		{"depth 200", "application/json", strings.Repeat("[", 200) + strings.Repeat("]", 200), nil, "application/json"},
		{"duplicate keys", "application/json", `{"a":1,"a":2}`, map[string]any{"a": int64(2)}, "application/json"},
		{"large number", "application/json", `12345678901234567890123`, json.Number("12345678901234567890123"), "application/json"},
		{"ndjson", "application/x-ndjson", "{\"a\":1}\r\n\n2", []any{map[string]any{"a": int64(1)}, int64(2)}, "application/x-ndjson"},
		{"csv", "text/csv; charset=windows-1252", "name,n\nJos\xe9,1\n", []any{map[string]any{"name": "José", "n": "1"}}, "text/csv; charset=windows-1252"},
		{"form", "application/x-www-form-urlencoded", "a=1&b=x+y&b=%26", map[string]any{"a": "1", "b": []any{"x y", "&"}}, "application/x-www-form-urlencoded"},
		{"empty form", "application/x-www-form-urlencoded", "", map[string]any{}, "application/x-www-form-urlencoded"},
		{"xml", "text/xml", `<o id="1"><a>x</a></o>`, nil, "text/xml"},
		{"text", "text/plain", "hello", "hello", "text/plain"},
		{"latin text", "text/plain; charset=iso-8859-1", "caf\xe9", "café", "text/plain; charset=iso-8859-1"},
		{"html", "text/html", "<p>", "<p>", "text/html"},
		{"listed", "image/png", "\x89PNG", "iVBORw==", "image/png"},
		{"listed by family", "Application/PDF; v=1", "%PDF", "JVBERg==", "application/pdf"},
		{"untyped json", "", ` {"a":1} `, map[string]any{"a": int64(1)}, "application/json"},
		{"untyped text", "", "hello", "hello", "text/plain; charset=utf-8"},
		{"nothing", "", "", nil, "application/json"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newHook(t, func(c *Config) { c.Accept = []string{"image/png", "application/*"} })
			w := h.post(test.body, "Content-Type", test.contentType)
			if w.Code != 202 {
				t.Fatalf("got %d %s", w.Code, w.Body)
			}
			d := h.last(t)
			got, err := format.Decode(d.ContentType, d.Raw)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" && (test.want != nil || test.name == "nothing") {
				t.Error(diff)
			}
			if d.ContentType != test.stored {
				t.Errorf("stored as %q", d.ContentType)
			}
		})
	}
}
