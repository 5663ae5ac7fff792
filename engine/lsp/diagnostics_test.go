package lsp

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/syncd/syncd/engine/config"
)

func shown(diags []protocol.Diagnostic) []string {
	list := []string{}
	for _, d := range diags {
		first, _, _ := strings.Cut(string(d.Message.(protocol.String)), "\n")
		r := d.Range
		list = append(list, fmt.Sprintf("%d %d:%d-%d:%d %s", d.Severity, r.Start.Line, r.Start.Character, r.End.Line, r.End.Character, first))
	}
	return list
}

// What is open is checked with what is on disk, as it is typed, and mended mistakes go away.
func TestDiagnostics(t *testing.T) {
	other := "source \"webhook\" \"shop\" {\n  path = \"/shop\"\n  verify \"none\" {}\n}\nsink \"log\" \"debug\" {}\n"
	s := start(t, map[string]string{"other.hcl": other, "bad.hcl": "flow \"x\" {\n  to = sink.log.new\n}\n", "x.test.hcl": "nonsense {"})
	typed := "flow \"a\" {\n  from = source.webhook.shop\n  filter { when = \"'𝄞' == boddy.x\" }\n  to = [sink.log.debug]\n}\n"
	want := []string{`1 2:27-2:32 unknown name in expression`}
	if diff := cmp.Diff(want, shown(s.open("a.hcl", typed))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"1 1:7-1:19 there is no sink.log.new"}, shown(s.await("bad.hcl", 0))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	mended := strings.Replace(typed, "boddy", "body", 1) + `sink "log" "new" {}` + "\n"
	if got := shown(s.open("a.hcl", mended)); len(got) != 0 {
		t.Errorf("not mended: %q", got)
	}
	if diff := cmp.Diff([]string{`2 0:0-0:8 nothing comes to flow "x"`}, shown(s.await("bad.hcl", 0))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(s.published) > 0 {
		t.Errorf("more was published: %+v", <-s.published)
	}
}

// The same mistakes as `syncd validate` finds, with the same words.
func TestSameAsValidate(t *testing.T) {
	s := start(t, map[string]string{"other.hcl": declared})
	text := "flow \"a\" {\n  frm = 1\n  filter {}\n  to = [sink.log.debg]\n}\nlocals { x = env(\"SYNCD_LSP_UNSET\") }\n"
	got := s.open("a.hcl", text)
	s.write("a.hcl", text)
	_, diags := config.Load(s.dir, allKinds(), config.Options{Placeholders: true})
	if len(diags) == 0 || len(diags) != len(got) {
		t.Fatalf("%d diagnostics, validate has %d", len(got), len(diags))
	}
	for i, d := range diags {
		if want := strings.TrimSpace(d.Summary + "\n" + d.Detail); string(got[i].Message.(protocol.String)) != want {
			t.Errorf("%s\nnot\n%s", got[i].Message, want)
		}
	}
}

func TestFilesChangeOutside(t *testing.T) {
	s := start(t, nil)
	s.write("b.hcl", "")
	if got := shown(s.open("a.hcl", "flow \"a\" {\n  to = sink.log.l\n}\n")); len(got) != 1 {
		t.Fatalf("%q", got)
	}
	if m := <-s.watched; m != protocol.MethodWorkspaceDidChangeWatchedFiles {
		t.Errorf("asked to watch %s", m)
	}
	s.write("b.hcl", "sink \"log\" \"l\" {}\n")
	s.changed("b.hcl")
	if diff := cmp.Diff([]string{`2 0:0-0:8 nothing comes to flow "a"`}, shown(s.await("a.hcl", 1))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A table, and what file() names, are read again when they change; what is not read is not.
func TestDependenciesChangeOutside(t *testing.T) {
	s := start(t, map[string]string{"sub/countries.csv": "code,name\ncl,Chile\n", "note.txt": "x"})
	text := "table \"countries\" {\n  file = \"sub/countries.csv\"\n  key  = \"iso\"\n}\nlocals { note = file(\"later.txt\") }\n"
	if got := shown(s.open("a.hcl", text)); len(got) != 2 {
		t.Fatalf("%q", got)
	}
	<-s.watched
	s.write("sub/countries.csv", "iso,name\ncl,Chile\n")
	s.write("later.txt", "there")
	s.changed("sub/countries.csv")
	if diff := cmp.Diff([]string{"2 0:0-0:0 the configuration is empty", "2 0:0-0:17 table.countries is not used", "2 4:9-4:13 local.note is not used"}, shown(s.await("a.hcl", 1))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestConcerns(t *testing.T) {
	p := &project{snapshot: &config.Snapshot{Depends: []string{"/c/sub/countries.csv", "/c/later.txt"}}}
	for path, want := range map[string]bool{
		"/c/new.hcl": true, "/c/later.txt": true, "/c/sub": true, "/c/sub/countries.csv": true, "/c/note.txt": false, "/c/late": false, "/c/su": false,
	} {
		if got := p.concerns(protocol.FileEvent{URI: uri.File(path)}); got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
}

// changed tells the server that a file has changed on disk.
func (s *session) changed(name string) {
	s.t.Helper()
	changes := []protocol.FileEvent{{URI: s.uri(name), Type: protocol.FileChangeTypeChanged}}
	if err := s.DidChangeWatchedFiles(s.t.Context(), &protocol.DidChangeWatchedFilesParams{Changes: changes}); err != nil {
		s.t.Fatal(err)
	}
}

// A document that is closed counts as it is on disk; the last one takes its mistakes along.
func TestClose(t *testing.T) {
	s := start(t, map[string]string{"a.hcl": "nonsense {}\n", "b.hcl": "rubbish {}\n"})
	s.open("a.hcl", "sink \"log\" \"l\" {}\n")
	if got := shown(s.await("b.hcl", 0)); len(got) != 1 {
		t.Errorf("b: %q", got)
	}
	s.send("b.hcl", "")
	if got := shown(s.await("b.hcl", 1)); len(got) != 0 {
		t.Errorf("b, held: %q", got)
	}
	s.close("b.hcl")
	if got := shown(s.await("b.hcl", 0)); len(got) != 1 {
		t.Errorf("b, closed: %q", got)
	}
	s.close("a.hcl")
	if got := shown(s.await("b.hcl", 0)); len(got) != 0 {
		t.Errorf("b, all closed: %q", got)
	}
}

func (s *session) close(name string) {
	s.t.Helper()
	err := s.DidClose(s.t.Context(), &protocol.DidCloseTextDocumentParams{TextDocument: protocol.TextDocumentIdentifier{URI: s.uri(name)}})
	if err != nil {
		s.t.Fatal(err)
	}
}

// However fast somebody types, what is published last is about what was typed last.
func TestFastTypist(t *testing.T) {
	s := start(t, map[string]string{"other.hcl": declared})
	s.open("a.hcl", "")
	const keys = 300
	for range keys {
		s.version++
		s.send("a.hcl", strings.Repeat("nonsense {}\n", int(s.version)))
	}
	last, published := int32(0), 0
	for last < s.version {
		p := <-s.published
		v, ok := p.Version.Get()
		if !ok {
			continue
		}
		if v < last || len(p.Diagnostics) != int(v) {
			t.Fatalf("version %d after %d with %d mistakes", v, last, len(p.Diagnostics))
		}
		last, published = v, published+1
	}
	if published > keys {
		t.Errorf("published %d times", published)
	}
}

func TestRoot(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"ws/a.hcl", "ws/sub/b.hcl", "x/etc/c.hcl", "x/etc/deep/d.hcl", "x/etc/deep/empty/more/e.hcl"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	for name, tc := range map[string]struct {
		editor     editor
		path, want string
	}{
		"named":             {editor{config: at("ws/a.hcl"), folders: []string{at("x")}}, at("x/etc/c.hcl"), at("ws/a.hcl")},
		"named, relative":   {editor{config: "etc", folders: []string{at("x")}}, at("ws/a.hcl"), at("x/etc")},
		"workspace":         {editor{folders: []string{at("x"), at("ws")}}, at("ws/sub/b.hcl"), at("ws")},
		"workspace without": {editor{folders: []string{at("x")}}, at("x/etc/deep/d.hcl"), at("x/etc")},
		"outside of it":     {editor{folders: []string{at("ws")}}, at("x/etc/deep/new.hcl"), at("x/etc")},
		"climbs no gap":     {editor{}, at("x/etc/deep/empty/more/e.hcl"), at("x/etc/deep/empty/more")},
	} {
		if got := tc.editor.root(tc.path); got != tc.want {
			t.Errorf("%s: %s, not %s", name, got, tc.want)
		}
	}
}

// Two configurations are two, also in one editor.
func TestTwoProjects(t *testing.T) {
	s := start(t, map[string]string{"one/a.hcl": "", "two/a.hcl": ""})
	s.open("one/a.hcl", "sink \"log\" \"l\" {}\nflow \"a\" {\n  to = sink.log.l\n}\n")
	s.send("two/a.hcl", "flow \"a\" {\n  to = sink.log.l\n}\n")
	if diff := cmp.Diff([]string{"1 1:7-1:17 there is no sink.log.l"}, shown(s.await("two/a.hcl", 1))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
