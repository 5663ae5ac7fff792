package message

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var update = flag.Bool("update", false, "write what the mails of testdata become")

// mails are those of testdata, by their name.
func mails(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("testdata/mails/*.eml")
	if err != nil || len(names) < 50 {
		t.Fatalf("%d mails, %v", len(names), err)
	}
	all := map[string][]byte{}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(name), ".eml")] = raw
	}
	return all
}

// Each mail of testdata becomes what stands beside it, which people have read.
func TestMails(t *testing.T) {
	for name, raw := range mails(t) {
		t.Run(name, func(t *testing.T) {
			got := pretty(t, map[string]any{"body": Decode(raw), "kind": Meta(raw, false)["kind"]})
			golden := filepath.Join("testdata", "mails", name+".json")
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func pretty(t testing.TB, v any) []byte {
	t.Helper()
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// On the wire lines end with CRLF: what is read is the same.
func TestLineEnds(t *testing.T) {
	for name, raw := range mails(t) {
		plain, wire := Decode(raw), Decode(bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n")))
		for _, m := range []map[string]any{plain, wire} {
			if strings.HasSuffix(m["message_id"].(string), "@no-message-id") {
				m["message_id"] = ""
			}
			for _, a := range m["attachments"].([]any) {
				a := a.(map[string]any)
				if a["encoding"] == nil {
					a["content"], a["size"] = strings.ReplaceAll(a["content"].(string), "\r\n", "\n"), 0
				}
			}
		}
		if diff := cmp.Diff(plain, wire); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestMeta(t *testing.T) {
	raw := []byte("Received: one\r\nX-Shop: =?utf-8?Q?caf=C3=A9?=\r\nreceived: two\r\n\r\nbody")
	want := map[string]any{
		"header":  map[string]any{"received": "one", "x-shop": "café"},
		"headers": map[string]any{"received": []any{"one", "two"}, "x-shop": []any{"café"}},
		"kind":    Normal,
	}
	if diff := cmp.Diff(want, Meta(raw, false)); diff != "" {
		t.Error(diff)
	}
	if kind := Meta(raw, true)["kind"]; kind != Bounce {
		t.Errorf("without a sender it is %v", kind)
	}
}

func TestMetaIsBounded(t *testing.T) {
	var raw bytes.Buffer
	for i := range 100_000 {
		fmt.Fprintf(&raw, "X-%d: %s\r\n", i, strings.Repeat("x", 80))
	}
	size := 0
	for name, v := range Meta(raw.Bytes(), false)["header"].(map[string]any) {
		size += len(name) + len(v.(string))
	}
	if size > maxMeta || size < maxMeta/2 {
		t.Errorf("%d bytes are kept", size)
	}
}

// A header without end becomes text, and is not lost.
func TestHugeHeader(t *testing.T) {
	raw := "Subject: hi\n" + strings.Repeat("X: "+strings.Repeat("x", 90)+"\n", 20_000) + "Last: words\n"
	m := Decode([]byte(raw))
	if m["subject"] != "hi" || !strings.HasSuffix(m["text"].(string), "Last: words\n") {
		t.Errorf("%v, %d bytes of text", m["subject"], len(m["text"].(string)))
	}
}

func TestDeepNesting(t *testing.T) {
	var head, tail strings.Builder
	for i := range 500 {
		fmt.Fprintf(&head, "Content-Type: multipart/mixed; boundary=b%d.\n\n--b%d.\n", i, i)
	}
	m := Decode([]byte("Subject: deep\n" + head.String() + "\nthe word within" + tail.String()))
	a := m["attachments"].([]any)
	if len(a) != 1 || !strings.HasSuffix(a[0].(map[string]any)["content"].(string), "the word within") {
		t.Errorf("%d attachments", len(a))
	}
}

func TestManyParts(t *testing.T) {
	for _, n := range []int{maxParts - 1, maxParts, 200_000} {
		raw := "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nword\n", n) + "--b--\n"
		m := Decode([]byte(raw))
		found := strings.Count(m["text"].(string), "word")
		for _, a := range m["attachments"].([]any) {
			found += strings.Count(a.(map[string]any)["content"].(string), "word")
		}
		if found != n {
			t.Errorf("%d of %d words are left", found, n)
		}
	}
}

func TestAuth(t *testing.T) {
	a := Auth{SPF: "pass", DKIM: "fail", DMARC: "pass", SPFDomain: "x.example", Policy: "reject", Aligned: []string{"spf"}}
	want := map[string]any{"spf": "pass", "dkim": "fail", "dmarc": "pass", "spf_domain": "x.example", "dmarc_policy": "reject", "aligned": []any{"spf"}}
	if diff := cmp.Diff(want, a.Meta()); diff != "" {
		t.Error(diff)
	}
}

// Whatever comes, the body of the event has its fields, all text is UTF-8, and what is
// base64 is that.
func FuzzDecode(f *testing.F) {
	all := mails(f)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		f.Add(all[name])
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := Decode(raw)
		Meta(raw, false)
		checkText(t, m)
		for _, a := range m["attachments"].([]any) {
			a := a.(map[string]any)
			b, err := base64.StdEncoding.DecodeString(a["content"].(string))
			if a["encoding"] == "base64" && (err != nil || int64(len(b)) != a["size"]) {
				t.Errorf("%v: %d bytes, %v", a, len(b), err)
			}
			if name := a["name"].(string); name == "" || strings.ContainsAny(name, "/\\\r\n") {
				t.Errorf("a file is called %q", name)
			}
		}
		for _, name := range []string{"from", "subject", "message_id"} {
			if strings.ContainsAny(m[name].(string), "\r\n") {
				t.Errorf("%s holds a line break: %q", name, m[name])
			}
		}
	})
}

func checkText(t *testing.T, m map[string]any) {
	t.Helper()
	for name, v := range m {
		switch v := v.(type) {
		case string:
			if strings.ToValidUTF8(v, "") != v {
				t.Errorf("%s is no UTF-8: %q", name, v)
			}
		case []any:
			for _, one := range v {
				switch one := one.(type) {
				case string:
					checkText(t, map[string]any{name: one})
				case map[string]any:
					checkText(t, one)
				}
			}
		}
	}
}

// What is taken as it is says the same as what is decoded and encoded anew.
func TestUnwrapBase64(t *testing.T) {
	const alphabet = "ABCDwxyz0189+/AAAA\r\n==- "
	random, taken := rand.New(rand.NewPCG(1, 2)), 0
	for range 20_000 {
		b := make([]byte, random.IntN(12))
		for i := range b {
			b[i] = alphabet[random.IntN(len(alphabet))]
		}
		text, size, ok := unwrapBase64(b)
		if !ok {
			continue
		}
		taken++
		plain := fromBase64(b)
		if text != toBase64(plain) || size != int64(len(plain)) {
			t.Fatalf("%q: %q of %d bytes, want %q of %d", b, text, size, toBase64(plain), len(plain))
		}
	}
	if taken < 1000 {
		t.Errorf("only %d were taken", taken)
	}
	for _, whole := range []string{"", "YQ==", "YWI=", "YWJj", "YWJj\r\nYWJj\r\n", "YQ"} {
		if _, _, ok := unwrapBase64([]byte(whole)); !ok {
			t.Errorf("%q is not taken", whole)
		}
	}
}
