package files

import (
	"context"
	"encoding/json"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/records"
)

func TestFormats(t *testing.T) {
	dir := fast(t)
	a, b := map[string]any{"id": int64(1), "name": "Ana, \"P\""}, map[string]any{"id": int64(2)}
	nd := newEngine(t, &Config{Path: template(t, dir+"/new/deep/a.ndjson")})
	nd.send(a)
	nd.send(b, "text")
	plain := newEngine(t, &Config{Path: template(t, dir+"/b.csv"), Format: records.Format{CSV: &records.CSV{Delimiter: ";", Table: records.Table{Quote: `"`, Header: true, Columns: []string{"name", "id"}}}}})
	plain.send(a, b)
	plain.send(b)
	ordered := newEngine(t, &Config{Path: template(t, dir+"/c.csv"), Format: records.Format{CSV: &records.CSV{Delimiter: ",", Table: records.Table{Quote: `"`}}}})
	ordered.sink.UseFields([]string{"name", "id"})
	ordered.send(a, b)
	wantTree(t, dir, map[string]string{
		"new/deep/a.ndjson": "{\"id\":1,\"name\":\"Ana, \\\"P\\\"\"}\n{\"id\":2}\n\"text\"\n",
		"b.csv":             "name;id\n\"Ana, \"\"P\"\"\";1\n;2\n;2\n",
		"c.csv":             "\"Ana, \"\"P\"\"\",1\n,2\n",
	})
}

func TestEachPathItsFile(t *testing.T) {
	dir := fast(t)
	e := newEngine(t, &Config{Path: template(t, dir+"/{{ body.shop }}.ndjson")})
	row := func(shop string, n int) any { return map[string]any{"shop": shop, "n": int64(n)} }
	r := e.deliver(row("ö 1", 1), row("../x", 2), row("b", 3), row("ö 1", 4), row("", 5), row("a/b", 6), id(7), row("..", 8), row(strings.Repeat("x", 300), 9))
	for i, err := range r.Errors {
		if good := i == 0 || i == 2 || i == 3; good != (err == nil) || !good && !component.IsPermanent(err) {
			t.Errorf("delivery %d: %v", i, err)
		}
	}
	if len(r.State) != 2 {
		t.Errorf("%d puts, want 2: %v", len(r.State), r.State)
	}
	wantTree(t, dir, map[string]string{
		"ö 1.ndjson": "{\"n\":1,\"shop\":\"ö 1\"}\n{\"n\":4,\"shop\":\"ö 1\"}\n", "b.ndjson": "{\"n\":3,\"shop\":\"b\"}\n",
		".ö 1.ndjson.new": tree(t, dir)[".ö 1.ndjson.new"], ".b.ndjson.new": tree(t, dir)[".b.ndjson.new"],
	})
	e.settle(r)
	if files := tree(t, dir); len(files) != 2 {
		t.Errorf("files after settling: %v", files)
	}
}

func TestBadRecordsFailAlone(t *testing.T) {
	dir := fast(t)
	e := newEngine(t, &Config{Path: template(t, dir+"/a.csv"), Format: records.Format{CSV: &records.CSV{Delimiter: ",", Table: records.Table{Quote: `"`, Header: true}}}})
	r := e.deliver("no object", id(1), map[string]any{"id": int64(2), "extra": true}, map[string]any{"id": math.NaN()}, id(3))
	want := []string{"write row: the first record must be an object", "", `field "extra" is not among the columns id`, `column "id"`, ""}
	for i, err := range r.Errors {
		if (want[i] == "") != (err == nil) || err != nil && (!component.IsPermanent(err) || !strings.Contains(err.Error(), want[i])) {
			t.Errorf("delivery %d: %v, want %q", i, err, want[i])
		}
	}
	e.settle(r)
	wantTree(t, dir, map[string]string{"a.csv": "id\n1\n3\n"})

	r = e.deliver("no", "object")
	if r.State != nil || !component.IsPermanent(r.Errors[0]) || !component.IsPermanent(r.Errors[1]) {
		t.Errorf("nothing delivered, but: %+v", r)
	}
}

func TestColumnsChange(t *testing.T) {
	dir := fast(t)
	cfg := &Config{Path: template(t, dir+"/a.csv"), Format: records.Format{CSV: &records.CSV{Delimiter: ",", Table: records.Table{Quote: `"`, Header: true, Columns: []string{"id"}}}}}
	e := newEngine(t, cfg)
	e.send(id(1))
	cfg.Format.CSV = &records.CSV{Delimiter: ",", Table: records.Table{Quote: `"`, Header: true, Columns: []string{"id", "b"}}}
	e.start()
	e.send(id(2))
	e.start()
	e.send(id(3))
	cfg.Format.CSV = &records.CSV{Delimiter: ",", Table: records.Table{Quote: `"`, Header: true, Columns: []string{"id"}}}
	e.start()
	e.send(id(4))
	cfg.Format = records.Format{NDJSON: &records.NDJSON{}}
	e.start()
	e.send(id(5))
	wantTree(t, dir, map[string]string{"a.csv": "id\n1\n", "a-2.csv": "id,b\n2,\n3,\n", "a-3.csv": "id\n4\n", "a-4.csv": "{\"id\":5}\n"})
}

func TestFileOfSomebodyElse(t *testing.T) {
	dir := fast(t)
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("same.csv", "id\n0") // no line break at its end
	write("other.csv", "id,b\n0,\n")
	write("a.ndjson", "")
	csv := records.Format{CSV: &records.CSV{Delimiter: ",", Table: records.Table{Quote: `"`, Header: true}}}
	for _, name := range []string{"same.csv", "other.csv"} {
		e := newEngine(t, &Config{Path: template(t, filepath.Join(dir, name)), Format: csv})
		e.send(id(1))
		e.send(id(2))
	}
	newEngine(t, &Config{Path: template(t, dir+"/a.ndjson")}).send(id(1))
	wantTree(t, dir, map[string]string{"same.csv": "id\n0\n1\n2\n", "other.csv": "id,b\n0,\n", "other-2.csv": "id\n1\n2\n", "a.ndjson": "{\"id\":1}\n"})
}

func TestTailIsCut(t *testing.T) {
	dir := fast(t)
	path := dir + "/a.ndjson"
	e := newEngine(t, &Config{Path: template(t, path)})
	e.send(id(1))
	for range 2 { // once after a start, once while running
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString("{\"id\":2}\n{\"id\""); err != nil {
			t.Fatal(err)
		}
		f.Close()
		e.send(id(2))
		e.start()
	}
	wantTree(t, dir, map[string]string{"a.ndjson": "{\"id\":1}\n{\"id\":2}\n{\"id\":2}\n"})
}

func TestShrunk(t *testing.T) {
	tests := []struct {
		name   string
		shrink func(path string) error
		found  string
		want   map[string]string // with on_shrunk = "new"
	}{
		{"cut", func(p string) error { return os.Truncate(p, 9) }, "27 bytes on record, 9 found", map[string]string{"a.ndjson": "{\"id\":1}\n{\"id\":4}\n{\"id\":5}\n"}},
		{"emptied", func(p string) error { return os.Truncate(p, 0) }, "27 bytes on record, 0 found", map[string]string{"a.ndjson": "{\"id\":4}\n{\"id\":5}\n"}},
		{"rotated", func(p string) error { return os.Rename(p, p+".1") }, "27 bytes on record, 0 found", map[string]string{
			"a.ndjson": "{\"id\":4}\n{\"id\":5}\n", "a.ndjson.1": "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := fast(t)
			cfg := &Config{Path: template(t, dir+"/a.ndjson"), OnShrunk: "error"}
			e := newEngine(t, cfg)
			e.send(id(1), id(2), id(3))
			if err := tt.shrink(dir + "/a.ndjson"); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				r := e.deliver(id(4))
				if err := r.Errors[0]; !component.IsUnwell(err) || !strings.Contains(err.Error(), tt.found) {
					t.Fatalf("got %v, want %s", err, tt.found)
				}
				e.start()
			}
			cfg.OnShrunk = "new"
			e.start()
			e.send(id(4))
			e.send(id(5))
			wantTree(t, dir, tt.want)
		})
	}
}

func TestRollByRowsAndSize(t *testing.T) {
	dir := fast(t)
	if err := os.WriteFile(dir+"/a.csv", []byte("taken"), 0o644); err != nil {
		t.Fatal(err)
	}
	e := newEngine(t, &Config{Path: template(t, dir+"/a.csv"), Format: records.Format{CSV: &records.CSV{Delimiter: ",", Table: records.Table{Quote: `"`, Header: true}}}, Roll: &Roll{Rows: 2}})
	e.send(id(1), id(2), id(3), id(4), id(5))
	wantTree(t, dir, map[string]string{"a.csv": "taken", "a-2.csv": "id\n1\n2\n", "a-3.csv": "id\n3\n4\n", ".a.csv.3.part": "id\n5\n"})
	e.start()
	e.send(id(6))
	wantTree(t, dir, map[string]string{"a.csv": "taken", "a-2.csv": "id\n1\n2\n", "a-3.csv": "id\n3\n4\n", "a-4.csv": "id\n5\n6\n"})
	e.send(id(7))
	if _, ok := tree(t, dir)[".a.csv.part"]; !ok {
		t.Errorf("the next part does not have the first name: %v", tree(t, dir))
	}

	big := fast(t)
	e = newEngine(t, &Config{Path: template(t, big+"/{{ body.id % 2 }}.json"), Format: records.Format{JSON: &records.JSON{}}, Roll: &Roll{Size: 15}})
	e.send(id(1), id(2), id(3), id(4), id(6))
	wantTree(t, big, map[string]string{"1.json": "[\n{\"id\":1},\n{\"id\":3}\n]\n", "0.json": "[\n{\"id\":2},\n{\"id\":4}\n]\n", ".0.json.2.part": "[\n{\"id\":6}"})
}

// TestNothingIsPublishedBeforeItsSettlement: a reader of published files never
// sees a record that may come again.
func TestNothingIsPublishedBeforeItsSettlement(t *testing.T) {
	dir := fast(t)
	e := newEngine(t, &Config{Path: template(t, dir+"/a.ndjson"), Roll: &Roll{Rows: 1, Every: time.Minute}})
	r := e.deliver(id(1))
	e.clock = e.clock.Add(time.Hour)
	e.sink.tick(context.Background())
	wantTree(t, dir, map[string]string{".a.ndjson.part": "{\"id\":1}\n"})
	e.settle(r)
	wantTree(t, dir, map[string]string{"a.ndjson": "{\"id\":1}\n"})
}

func TestRollByTimeWhileIdle(t *testing.T) {
	dir := fast(t)
	synctest.Test(t, func(t *testing.T) {
		e := &engine{t: t, state: map[string]json.RawMessage{}}
		cfg := &Config{Path: template(t, dir+"/{{ body.id }}.json"), Format: records.Format{JSON: &records.JSON{}}, Roll: &Roll{Every: time.Hour}}
		start := func() *sink {
			made, err := Kind.Open(component.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now, State: e}, cfg)
			if err != nil {
				t.Fatal(err)
			}
			return made.(*sink)
		}
		e.sink = start()
		e.send(id(1))
		time.Sleep(30 * time.Minute)
		e.send(id(2))
		time.Sleep(30*time.Minute - time.Second)
		synctest.Wait()
		wantTree(t, dir, map[string]string{".1.json.part": "[\n{\"id\":1}", ".2.json.part": "[\n{\"id\":2}"})
		time.Sleep(time.Second)
		synctest.Wait()
		wantTree(t, dir, map[string]string{"1.json": "[\n{\"id\":1}\n]\n", ".2.json.part": "[\n{\"id\":2}"})

		// After a start, the time goes on although no event asks for the path.
		e.sink.Close()
		e.sink = start()
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		wantTree(t, dir, map[string]string{"1.json": "[\n{\"id\":1}\n]\n", "2.json": "[\n{\"id\":2}\n]\n"})
		e.send(id(1))
		if err := e.sink.Close(); err != nil {
			t.Error(err)
		}
		wantTree(t, dir, map[string]string{"1.json": "[\n{\"id\":1}\n]\n", "2.json": "[\n{\"id\":2}\n]\n", ".1.json.2.part": "[\n{\"id\":1}"})
		if diff := cmp.Diff(`["`+dir+`/1.json"]`, string(e.state["parts"])); diff != "" {
			t.Error(diff)
		}
		if len(e.state) != 2 {
			t.Errorf("state that nothing needs any more: %v", e.state)
		}
	})
}

func TestRollSwitchedOnAndOff(t *testing.T) {
	dir := fast(t)
	cfg := &Config{Path: template(t, dir+"/a.ndjson")}
	e := newEngine(t, cfg)
	e.send(id(1))
	cfg.Roll = &Roll{Rows: 2}
	e.start()
	e.send(id(2), id(3), id(4))
	wantTree(t, dir, map[string]string{"a.ndjson": "{\"id\":1}\n", "a-2.ndjson": "{\"id\":2}\n{\"id\":3}\n", ".a.ndjson.2.part": "{\"id\":4}\n"})
	cfg.Roll = nil
	e.start()
	e.send(id(5))
	wantTree(t, dir, map[string]string{"a.ndjson": "{\"id\":1}\n{\"id\":5}\n", "a-2.ndjson": "{\"id\":2}\n{\"id\":3}\n", "a-3.ndjson": "{\"id\":4}\n"})
}

func TestStrayPartsAreRemoved(t *testing.T) {
	dir := fast(t)
	cfg := &Config{Path: template(t, dir+"/a.ndjson"), Roll: &Roll{Rows: 2}}
	e := newEngine(t, cfg)
	e.send(id(1))
	e.deliver(id(2), id(3), id(4), id(5)) // and the process ends
	cfg.Roll = &Roll{Rows: 100}
	e.start()
	e.send(id(2), id(3), id(4), id(5))
	wantTree(t, dir, map[string]string{".a.ndjson.part": "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n{\"id\":4}\n{\"id\":5}\n"})
}

func TestMemoryIsBounded(t *testing.T) {
	dir := fast(t)
	e := newEngine(t, &Config{Path: template(t, dir+"/{{ body.id }}.ndjson")})
	for n := 0; n < 3*maxBatch; n += maxBatch {
		bodies := make([]any, maxBatch)
		for i := range bodies {
			bodies[i] = id(n + i)
		}
		e.send(bodies...)
	}
	if len(e.sink.targets) > maxTargets {
		t.Errorf("%d paths in memory", len(e.sink.targets))
	}
	rolled := newEngine(t, &Config{Path: template(t, dir+"/parts/{{ body.id }}.ndjson"), Roll: &Roll{Rows: 100}})
	for n := range maxParts + 3 {
		rolled.clock = rolled.clock.Add(time.Second)
		rolled.send(id(n))
	}
	files := tree(t, dir+"/parts")
	for _, name := range []string{"0.ndjson", "1.ndjson", "2.ndjson", ".3.ndjson.part"} {
		if _, ok := files[name]; !ok {
			t.Errorf("%s is missing", name)
		}
	}
	if len(files) != maxParts+3 || len(rolled.sink.parts.waiting) != maxParts {
		t.Errorf("%d files, %d of them waiting", len(files), len(rolled.sink.parts.waiting))
	}
}
