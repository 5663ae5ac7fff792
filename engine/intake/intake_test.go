package intake

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
	"github.com/syncd/syncd/engine/journal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const source = "source.webhook.shop"

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// recorder is a journal that keeps what is appended and takes everything.
type recorder struct {
	journal.Journal
	mu      sync.Mutex
	appends []journal.Append
	known   map[string]string
	refused int
	err     error
}

func (r *recorder) Append(_ context.Context, a journal.Append) ([]component.Accepted, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return nil, r.err
	}
	r.appends = append(r.appends, a)
	var answers []component.Accepted
	for _, rec := range a.Records {
		first, known := r.known[rec.Dedupe]
		if !known {
			first = rec.ID.String()
			if rec.Dedupe != "" {
				r.known[rec.Dedupe] = first
			}
		}
		answers = append(answers, component.Accepted{ID: first, Duplicate: known})
	}
	if a.Silent {
		return nil, nil
	}
	return answers, nil
}

func (r *recorder) Refused(_ string, n int) { r.refused += n }

func (r *recorder) Get(_ context.Context, scope, key string) (json.RawMessage, bool, error) {
	return json.RawMessage(`"` + scope + "/" + key + `"`), key != "none", nil
}

func compile(t testing.TB, text string) expr.Expr {
	t.Helper()
	if text == "" {
		return expr.Expr{}
	}
	e, err := expr.Compile(expr.Source{Text: text}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// attributes are a source's common ones as a test writes them.
type attributes struct {
	key, id string
	redact  []string
}

func newIntake(t testing.TB, j journal.Journal, a attributes) *Intake {
	t.Helper()
	var common component.SourceCommon
	common.SetDefaults()
	common.Key, common.ID, common.Redact = compile(t, a.key), compile(t, a.id), a.redact
	in, err := New(Options{Source: source, Common: &common, Journal: j, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func accept(t testing.TB, in *Intake, drafts ...component.Draft) []component.Accepted {
	t.Helper()
	accepted, err := in.Accept(context.Background(), component.Batch{Drafts: drafts})
	if err != nil {
		t.Fatal(err)
	}
	return accepted
}

func jsonDraft(body, meta string) component.Draft {
	d := component.Draft{ContentType: "application/json", Raw: []byte(body)}
	if meta != "" {
		d.RawMeta = []byte(meta)
	}
	return d
}

func TestAccept(t *testing.T) {
	j := &recorder{known: map[string]string{}}
	in := newIntake(t, j, attributes{})
	raw, rawMeta := []byte("{ \"a\": 1 }"), []byte(`{"method":"POST"}`)
	state := []component.Put{{Key: "cursor", Value: 7}}
	accepted, err := in.Accept(context.Background(), component.Batch{State: state, Drafts: []component.Draft{
		{ContentType: "application/json", Raw: raw, RawMeta: rawMeta},
		{Names: []string{"a", "b"}, Values: []any{int64(1), "x"}},
		{Body: map[string]any{"b": int64(1), "a": "<&>"}, Meta: map[string]any{"row": int64(3)}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	a := j.appends[0]
	var ids []component.Accepted
	for i := range a.Records {
		ids = append(ids, component.Accepted{ID: a.Records[i].ID.String()})
		a.Records[i].ID = journal.ID{}
	}
	if diff := cmp.Diff(ids, accepted); diff != "" {
		t.Error(diff)
	}
	want := journal.Append{Source: source, State: state, DedupeWindow: 24 * time.Hour, Records: []journal.Record{
		{Time: noon, Meta: rawMeta, Payload: journal.Payload{ContentType: "application/json", Raw: raw}},
		{Time: noon, Payload: journal.Payload{Names: []string{"a", "b"}, Values: []any{int64(1), "x"}}},
		{Time: noon, Meta: []byte(`{"row":3}`), Payload: journal.Payload{ContentType: "application/json", Raw: []byte(`{"a":"<&>","b":1}`)}},
	}}
	if diff := cmp.Diff(want, a); diff != "" {
		t.Error(diff)
	}
	if &raw[0] != &a.Records[0].Payload.Raw[0] {
		t.Error("the raw body was copied")
	}
}

func TestKeyAndID(t *testing.T) {
	j := &recorder{known: map[string]string{}}
	in := newIntake(t, j, attributes{key: "body.customer", id: "meta.header['x-event-id']"})
	meta := `{"header":{"x-event-id":"e1"}}`
	accepted := accept(t, in,
		jsonDraft(`{"customer":42}`, meta),
		jsonDraft(`{"customer":"b"}`, meta),
		jsonDraft(`{}`, `{"header":{"x-event-id":""}}`),
		jsonDraft(`{}`, ""),
		component.Draft{Names: []string{"customer"}, Values: []any{"c"}, Meta: map[string]any{"header": map[string]any{"x-event-id": "e2"}}},
	)
	if !accepted[1].Duplicate || accepted[1].ID != accepted[0].ID {
		t.Errorf("no duplicate: %v", accepted)
	}
	var keys []string
	var dedupes int
	for i, r := range j.appends[0].Records {
		keys = append(keys, r.Key)
		if r.Dedupe != "" {
			dedupes++
		}
		if strings.Contains(r.Dedupe, "e1") || i > 0 && accepted[i].Duplicate != (i == 1) {
			t.Errorf("record %d: %+v, %+v", i, r, accepted[i])
		}
	}
	if diff := cmp.Diff([]string{"42", "b", "", "", "c"}, keys); diff != "" {
		t.Error(diff)
	}
	if dedupes != 3 {
		t.Errorf("%d records have an id, want 3", dedupes)
	}
	if string(j.appends[0].Records[0].Payload.Raw) != `{"customer":42}` || string(j.appends[0].Records[0].Meta) != meta {
		t.Error("what was only looked at was encoded anew")
	}
}

func TestIDOfAnEventItself(t *testing.T) {
	j := &recorder{known: map[string]string{}}
	in := newIntake(t, j, attributes{id: "event.source + event.key", key: "'fixed'"})
	accepted := accept(t, in, jsonDraft(`1`, ""), jsonDraft(`2`, ""))
	if accepted[0].Duplicate || !accepted[1].Duplicate {
		t.Errorf("%v", accepted)
	}
}

func TestFaultsBecomeDeadLetters(t *testing.T) {
	j := &recorder{known: map[string]string{}}
	in := newIntake(t, j, attributes{key: "body.total + 1", id: "body.id.x"})
	accepted := accept(t, in,
		jsonDraft(`{"total":1,"id":null}`, `{"n":1}`),
		jsonDraft(`{"id":1}`, `{"n":2}`),
		jsonDraft(`{"total":3,"id":{"x":"y"}}`, `{"n":3}`),
		jsonDraft(`{"total":4,"id":"text"}`, `{"n":4}`),
		component.Draft{Names: []string{"total", "f"}, Values: []any{nil, 1.5}},
		jsonDraft(`{"tot`, ""),
	)
	a := j.appends[0]
	if len(a.Records) != 2 || len(a.Dead) != 4 || len(accepted) != 6 {
		t.Fatalf("%d records, %d dead, %d answers", len(a.Records), len(a.Dead), len(accepted))
	}
	want := []string{
		a.Records[0].ID.String(), a.Dead[0].EventID, a.Records[1].ID.String(),
		a.Dead[1].EventID, a.Dead[2].EventID, a.Dead[3].EventID,
	}
	for i, id := range want {
		if accepted[i].ID != id || accepted[i].Duplicate || len(id) != 32 {
			t.Errorf("answer %d is %v, want %s", i, accepted[i], id)
		}
	}
	d := a.Dead[0]
	if d.Path != d.EventID || d.Source != source || d.Lane != (journal.Lane{}) || !d.Dead || d.Attempts != 1 ||
		!d.Since.Equal(noon) || len(d.Errors) != 1 || !strings.Contains(d.Errors[0].Error, "body.total is nil") {
		t.Errorf("%+v", d)
	}
	draft, err := Open(d.Envelope)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(jsonDraft(`{"id":1}`, `{"n":2}`), draft); diff != "" {
		t.Error(diff)
	}
	row, err := Open(a.Dead[2].Envelope)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(component.Draft{Names: []string{"total", "f"}, Values: []any{nil, 1.5}}, row); diff != "" {
		t.Error(diff)
	}
	body, meta, err := Show(a.Dead[3].Envelope)
	if string(body) != `"{\"tot"` || meta != nil || err != nil {
		t.Errorf("shown as %s, %s, %v", body, meta, err)
	}
}

func TestSilentBatch(t *testing.T) {
	j := &recorder{known: map[string]string{}}
	in := newIntake(t, j, attributes{key: "body.total + 1"})
	answers, err := in.Accept(t.Context(), component.Batch{Silent: true, Drafts: []component.Draft{jsonDraft(`{"total":1}`, ""), jsonDraft(`{}`, "")}})
	if err != nil || answers != nil {
		t.Errorf("answers %v, error %v", answers, err)
	}
	if a := j.appends[0]; !a.Silent || len(a.Records) != 1 || len(a.Dead) != 1 {
		t.Errorf("silent %v, %d records, %d dead", a.Silent, len(a.Records), len(a.Dead))
	}
}

func TestLongKeyIsADeadLetter(t *testing.T) {
	j := &recorder{}
	accept(t, newIntake(t, j, attributes{key: "body"}), jsonDraft(`"`+strings.Repeat("x", maxKey+1)+`"`, ""))
	if a := j.appends[0]; len(a.Records) != 0 || len(a.Dead) != 1 || a.Dead[0].Errors[0].Error != "key: 1025 bytes; it may have 1024" {
		t.Errorf("%+v", a)
	}
}

func TestErrorsOfTheJournal(t *testing.T) {
	later := &component.LaterError{Reason: "disk full", After: time.Second}
	in := newIntake(t, &recorder{err: later}, attributes{key: "body.a.b"})
	_, err := in.Accept(context.Background(), component.Batch{Drafts: []component.Draft{jsonDraft(`{"a":1}`, "")}})
	if !errors.Is(err, later) {
		t.Errorf("got %v", err)
	}
}

func TestStateAndCounters(t *testing.T) {
	j := &recorder{}
	in := newIntake(t, j, attributes{})
	var v string
	if ok, err := in.Get(context.Background(), "cursor", &v); !ok || err != nil || v != source+"/cursor" {
		t.Errorf("%v %v %q", ok, err, v)
	}
	if ok, err := in.Get(context.Background(), "none", &v); ok || err != nil {
		t.Errorf("%v %v", ok, err)
	}
	var n int
	if _, err := in.Get(context.Background(), "cursor", &n); err == nil {
		t.Error("a text was read into a number")
	}
	in.Refused(2)
	in.Refused(1)
	if j.refused != 3 {
		t.Errorf("%d refused", j.refused)
	}
}

func TestStale(t *testing.T) {
	now := noon
	common := &component.SourceCommon{ExpectEvery: time.Hour}
	in, err := New(Options{Source: source, Common: common, Journal: &recorder{}, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		after time.Duration
		last  time.Time
		want  bool
	}{
		{time.Hour, time.Time{}, false},
		{time.Hour + 1, time.Time{}, true},
		{time.Hour + 1, noon.Add(-time.Minute), true},
		{time.Hour + 1, noon.Add(time.Minute), false},
		{3 * time.Hour, noon.Add(time.Hour), true},
	}
	for _, test := range tests {
		now = noon.Add(test.after)
		if got := in.Stale(test.last); got != test.want {
			t.Errorf("after %s, last %s: %v", test.after, test.last, got)
		}
	}
	common.ExpectEvery = 0
	if in.Stale(time.Time{}) {
		t.Error("stale although nothing is expected")
	}
}

// openJournal is a real one.
func openJournal(t *testing.T, dir string) *journal.SQLite {
	t.Helper()
	j, err := journal.Open(dir, journal.Options{Ballast: -1})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestRetry(t *testing.T) {
	ctx := context.Background()
	j := openJournal(t, t.TempDir())
	defer j.Close()
	broken := newIntake(t, j, attributes{key: "body.total + 1"})
	first := accept(t, broken, jsonDraft(`{"id":"x"}`, `{"n":1}`), jsonDraft(`{"total":1}`, ""))
	dead := func() []journal.Exception {
		t.Helper()
		list, err := j.Exceptions(ctx, journal.ExceptionQuery{DeadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	letters := dead()
	if len(letters) != 1 {
		t.Fatalf("%d dead letters", len(letters))
	}
	if err := broken.Retry(ctx, letters[0]); err == nil || !strings.Contains(err.Error(), "body.total is nil") {
		t.Errorf("got %v", err)
	}
	letters = dead()
	if len(letters) != 1 || letters[0].Attempts != 2 || len(letters[0].Errors) != 2 {
		t.Fatalf("after a retry that failed: %+v", letters)
	}

	fixed := newIntake(t, j, attributes{key: "body.total ?? 'none'"})
	var group sync.WaitGroup
	results := make(chan error, 4)
	for range cap(results) {
		group.Go(func() { results <- fixed.Retry(ctx, letters[0]) })
	}
	group.Wait()
	close(results)
	done := 0
	for err := range results {
		if err == nil {
			done++
		} else if !errors.Is(err, journal.ErrNotFound) {
			t.Error(err)
		}
	}
	if done != 1 || len(dead()) != 0 {
		t.Errorf("%d retries went through, %d dead letters are left", done, len(dead()))
	}
	frames, err := j.Read(ctx, source, 1, 1<<20)
	if err != nil || len(frames) != 1 || len(frames[0].Events) != 1 {
		t.Fatalf("%v %v", frames, err)
	}
	got := frames[0].Events[0]
	if got.ID.String() != first[0].ID || got.Key != "none" || !got.Time.Equal(noon) || string(got.Payload.Raw) != `{"id":"x"}` || string(got.Meta) != `{"n":1}` {
		t.Errorf("%+v", got)
	}
	stats, err := j.Stats(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if s := stats.Sources[0]; s.Accepted != 2 || s.Dead != 0 {
		t.Errorf("%+v", s)
	}
}

// Nothing of a masked field is in the journal's files, neither of events nor of
// dead letters and their errors.
func TestRedactedValuesAreNowhereOnDisk(t *testing.T) {
	const card = "4111111111111111"
	dir := t.TempDir()
	j := openJournal(t, dir)
	in := newIntake(t, j, attributes{
		key:    "body.fail == true ? number(body.card + 'x') : body.card",
		id:     "body.card + body.n",
		redact: []string{"body.card", "body.list.card", "meta.header.X-Card"},
	})
	meta := `{"header":{"x-card":"` + card + `"},"headers":{"x-card":["` + card + `"]}}`
	accept(t, in,
		jsonDraft(`{"card":"`+card+`","n":"1","list":[{"card":`+card+`},{"card":{"no":"`+card+`"}}],"kept":"marker"}`, meta),
		jsonDraft(`{"card":"`+card+`","n":"2","fail":true}`, meta),
		jsonDraft(`{"card":"`+card+`","n`, meta),
		component.Draft{Names: []string{"card", "n", "fail"}, Values: []any{card, "3", false}, Meta: map[string]any{"header": map[string]any{"x-card": card}}},
	)
	letters, err := j.Exceptions(context.Background(), journal.ExceptionQuery{DeadOnly: true})
	if err != nil || len(letters) != 2 {
		t.Fatalf("%d dead letters, %v", len(letters), err)
	}
	if err := in.Retry(context.Background(), letters[1]); err == nil || !strings.Contains(err.Error(), "its content was not kept") {
		t.Errorf("retry of what was withheld: %v", err)
	}
	if body, _, err := Show(letters[1].Envelope); body != nil || err != nil {
		t.Errorf("shown as %s, %v", body, err)
	}
	frames, err := j.Read(context.Background(), source, 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"card":"***","kept":"marker","list":[{"card":"***"},{"card":"***"}],"n":"1"}`
	if got := string(frames[0].Events[0].Payload.Raw); got != want {
		t.Errorf("stored %s", got)
	}
	for _, l := range letters {
		frames = append(frames, &journal.Frame{Events: []journal.Record{{Meta: l.Envelope, Key: l.Errors[0].Error}}})
	}
	for _, f := range frames {
		for _, e := range f.Events {
			row, _ := json.Marshal(e.Payload.Values)
			if all := e.Key + e.Dedupe + string(e.Meta) + string(e.Payload.Raw) + string(row); strings.Contains(all, card) {
				t.Errorf("the card is in %s", all)
			}
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), card) {
			t.Errorf("the card is in %s", name)
		}
	}
}

func TestMasks(t *testing.T) {
	tests := []struct{ redact, body, want string }{
		{"body.card", `{"card":"x"}`, `{"card":"***"}`},
		{"body.card", `{"card":null}`, `{"card":null}`},
		{"body.card", `{"card":{"a":[1]}}`, `{"card":"***"}`},
		{"body.card", `[{"card":1},[{"card":2}],3]`, `[{"card":"***"},[{"card":"***"}],3]`},
		{"body.a.b", `{"a":{"b":1,"c":2}}`, `{"a":{"b":"***","c":2}}`},
		{"body.a.b", `{"a":"text"}`, `{"a":"text"}`},
		{"body.a.b", `{"a":[{"b":1},{}]}`, `{"a":[{"b":"***"},{}]}`},
		{"body", `{"a":1}`, `"***"`},
		{"body.x", `12345678901234567890123`, `12345678901234567890123`},
	}
	for _, test := range tests {
		j := &recorder{}
		accept(t, newIntake(t, j, attributes{redact: []string{test.redact}}), jsonDraft(test.body, ""))
		if got := string(j.appends[0].Records[0].Payload.Raw); got != test.want {
			t.Errorf("%s of %s: %s, want %s", test.redact, test.body, got, test.want)
		}
	}
}

func TestMasksOfOtherTypes(t *testing.T) {
	tests := []struct{ contentType, body, want string }{
		{"application/x-www-form-urlencoded", "card=1&a=2", `{"a":"2","card":"***"}`},
		{"text/csv", "card,a\n1,2\n", `[{"a":"2","card":"***"}]`},
		{"application/x-ndjson", "{\"card\":1}\n{\"a\":2}\n", `[{"card":"***"},{"a":2}]`},
		{"application/xml", "<o><card>1</card><a>2</a></o>", ""},
	}
	for _, test := range tests {
		j := &recorder{}
		accept(t, newIntake(t, j, attributes{redact: []string{"body.card", "body.o.card"}}), component.Draft{ContentType: test.contentType, Raw: []byte(test.body)})
		p := j.appends[0].Records[0].Payload
		if p.ContentType != "application/json" || strings.Contains(string(p.Raw), `"1"`) || test.want != "" && string(p.Raw) != test.want {
			t.Errorf("%s: %s %s", test.contentType, p.ContentType, p.Raw)
		}
	}
}

// A multipart form is stored as it came, unless something of it is masked: then neither
// that nor the files are lost.
func TestMultipartForms(t *testing.T) {
	const typ = "multipart/form-data; boundary=XX"
	const form = "--XX\r\nContent-Disposition: form-data; name=\"card\"\r\n\r\n4111\r\n" +
		"--XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\n\r\nhidden\r\n--XX--\r\n"
	const file = `{"content":"hidden","content_type":"application/octet-stream","field":"f","name":"a.txt","size":6}`
	tests := []struct {
		redact        []string
		contentType   string
		payload, meta string
	}{
		{nil, typ, form, `{"path":"/h"}`},
		{[]string{"body.card"}, "application/json", `{"card":"***"}`, `{"attachments":[` + file + `],"path":"/h"}`},
		{[]string{"meta.attachments.content"}, "application/json", `{"card":"4111"}`, `{"attachments":[` + strings.Replace(file, "hidden", "***", 1) + `],"path":"/h"}`},
	}
	for _, test := range tests {
		j := &recorder{known: map[string]string{}}
		in := newIntake(t, j, attributes{key: "meta.attachments[0].name", id: "body.card", redact: test.redact})
		accept(t, in, component.Draft{ContentType: typ, Raw: []byte(form), RawMeta: []byte(`{"path":"/h"}`)})
		r := j.appends[0].Records[0]
		got := []string{r.Key, r.Payload.ContentType, string(r.Payload.Raw), string(r.Meta)}
		if diff := cmp.Diff([]string{"a.txt", test.contentType, test.payload, test.meta}, got); diff != "" || r.Dedupe == "" {
			t.Errorf("redact %v: dedupe %q %s", test.redact, r.Dedupe, diff)
		}
	}
}

func TestFaultyRedact(t *testing.T) {
	for _, path := range []string{"", "card", "meta", "body..card", "event.key"} {
		common := &component.SourceCommon{Redact: []string{path}}
		_, err := New(Options{Source: source, Common: common, Journal: &recorder{}, Now: time.Now})
		if err == nil || !strings.Contains(err.Error(), "is not a field") {
			t.Errorf("%q: %v", path, err)
		}
	}
}

func FuzzRedact(f *testing.F) {
	f.Add(`{"card":"secret-value","a":[{"card":"secret-value"}]}`)
	f.Add(`[{"a":{"card":["secret-value"]}},"x"]`)
	common := &component.SourceCommon{Redact: []string{"body.card", "body.a.card"}}
	f.Fuzz(func(t *testing.T, body string) {
		j := &recorder{}
		in, err := New(Options{Source: source, Common: common, Journal: j, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		accept(t, in, jsonDraft(body, ""))
		if a := j.appends[0]; len(a.Records)+len(a.Dead) != 1 {
			t.Errorf("%d records, %d dead", len(a.Records), len(a.Dead))
		}
	})
}

// take is a journal that costs nothing.
type take struct{ journal.Journal }

func (take) Append(_ context.Context, a journal.Append) ([]component.Accepted, error) {
	return make([]component.Accepted, len(a.Records)), nil
}

func BenchmarkAccept(b *testing.B) {
	body := `{"id":"e-1042","customer":{"id":42,"email":"ana@example.com"},"card":"4111","lines":[` +
		strings.Repeat(`{"sku":"A-1","qty":2,"price":9.5},`, 25) + `{"sku":"A-2","qty":1,"price":1}]}`
	meta := `{"header":{"x-event-id":"e-1042","content-type":"application/json"},"headers":{"x-event-id":["e-1042"],"content-type":["application/json"]},"method":"POST"}`
	cases := []struct {
		name string
		attributes
	}{
		{"plain", attributes{}},
		{"id=meta", attributes{id: "meta.header['x-event-id']"}},
		{"id+key=body", attributes{id: "body.id", key: "body.customer.id"}},
		{"redact", attributes{redact: []string{"body.card"}}},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			in := newIntake(b, take{}, c.attributes)
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			raw, rawMeta := []byte(body), []byte(meta)
			for b.Loop() {
				accept(b, in, component.Draft{ContentType: "application/json", Raw: raw, RawMeta: rawMeta})
			}
		})
	}
}
