package journal

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/s2"
)

// body encodes records as a frame's body, section by section.
func body(t testing.TB, submissions ...[]Record) []byte {
	t.Helper()
	var plain []byte
	for _, records := range submissions {
		_, sections, err := encodeSections(nil, nil, records, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range sections {
			plain = append(plain, s.body...)
		}
	}
	return append([]byte{codecVersion}, s2.Encode(nil, plain)...)
}

func someRecords() []Record {
	at := time.Date(2026, 11, 22, 1, 2, 3, 4, time.UTC)
	names := []string{"id", "name"}
	return []Record{
		{ID: ID{1}, Time: at, Key: "k", Meta: json.RawMessage(`{"a":1}`), Payload: Payload{ContentType: "application/json", Raw: []byte(`{}`)}},
		{ID: ID{2}, Time: at.Add(-time.Hour), Payload: Payload{ContentType: "text/plain", Raw: []byte{}}},
		{ID: ID{3}, Time: at, Payload: Payload{ContentType: "text/csv", Names: names, Values: []any{int64(-1), "x"}}},
		{ID: ID{4}, Time: at, Payload: Payload{ContentType: "text/csv", Names: names, Values: []any{math.MaxFloat64, nil}}},
		{ID: ID{5}, Time: at, Payload: Payload{ContentType: "text/csv", Names: []string{"id", "other"}, Values: []any{true, false}}},
	}
}

func TestFrameRoundTrip(t *testing.T) {
	want := someRecords()
	f, err := decodeFrame("s", 7, 10, body(t, want, want[:2], want[2:]))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(slices.Concat(want, want), f.Events); d != "" {
		t.Error(d)
	}
	if f.First != 7 || f.Last() != 16 {
		t.Errorf("positions %d…%d", f.First, f.Last())
	}
	if &f.Events[2].Payload.Names[0] != &f.Events[3].Payload.Names[0] {
		t.Error("records of one shape do not share its names")
	}
}

func TestBytesOfFramesAreTheSameFromMemoryAndDisk(t *testing.T) {
	_, sections, err := encodeSections(nil, nil, someRecords(), nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := decodeFrame("s", 1, 5, body(t, someRecords()))
	if err != nil {
		t.Fatal(err)
	}
	if f.Bytes != sections[0].bytes {
		t.Errorf("%d bytes encoded, %d decoded", sections[0].bytes, f.Bytes)
	}
}

func TestSectionsAreBounded(t *testing.T) {
	big := make([]Record, 2500)
	for i := range big {
		big[i].Payload.Raw = []byte("x")
	}
	big = append(big, Record{Payload: Payload{Raw: make([]byte, 3*maxBytes)}}, Record{}, Record{})
	_, sections, err := encodeSections(nil, nil, big, nil)
	if err != nil {
		t.Fatal(err)
	}
	var counts []int
	for _, s := range sections {
		counts = append(counts, len(s.records))
	}
	if d := cmp.Diff([]int{1000, 1000, 500, 1, 2}, counts); d != "" {
		t.Error(d)
	}
}

func TestBadValues(t *testing.T) {
	for want, p := range map[string]Payload{
		"1 values for 2 names":                   {Names: []string{"a", "b"}, Values: []any{nil}},
		"b: a value of type int cannot be store": {Names: []string{"a", "b"}, Values: []any{nil, 1}},
	} {
		_, _, err := encodeSections(nil, nil, []Record{{}, {Payload: p}}, nil)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "record 1") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// FuzzDecodeFrame shows that no body makes decoding panic or take memory without
// bound, and that what decodes survives a round trip.
func FuzzDecodeFrame(f *testing.F) {
	f.Add(body(f, someRecords())[1:], 5)
	f.Add(body(f, someRecords()[:2], someRecords()[2:])[1:], 5)
	f.Add([]byte{}, 0)
	f.Fuzz(func(t *testing.T, packed []byte, count int) {
		if n, err := s2.DecodedLen(packed); err != nil || n > 1<<16 {
			return
		}
		frame, err := decodeFrame("s", 1, count, append([]byte{codecVersion}, packed...))
		if err != nil {
			return
		}
		again, err := decodeFrame("s", 1, count, body(t, frame.Events))
		if err != nil {
			t.Fatal(err)
		}
		if len(again.Events) != count {
			t.Errorf("%d events of %d", len(again.Events), count)
		}
	})
}

func someOutcomes() *outcomes {
	o := &outcomes{first: 3, results: make([]result, 40)}
	for i := range 30 {
		o.results[i] = result{generation: 1_700_000_000, status: Delivered, attempts: 1, millis: uint32(i / 10)}
	}
	o.results[20] = result{generation: 5, status: Excepted | partial, attempts: math.MaxUint16, millis: math.MaxUint32}
	return o
}

func TestOutcomesRoundTrip(t *testing.T) {
	want := someOutcomes()
	b := want.encode(nil)
	if len(b) > 100 {
		t.Errorf("%d bytes for 40 events of 6 kinds", len(b))
	}
	got := &outcomes{first: 3}
	if err := got.decode(b); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want.results, got.results, cmp.AllowUnexported(result{})); d != "" {
		t.Error(d)
	}
}

func FuzzDecodeOutcomes(f *testing.F) {
	f.Add(someOutcomes().encode(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		var o, again outcomes
		if o.decode(b) != nil {
			return
		}
		if err := again.decode(o.encode(nil)); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(o.results, again.results, cmp.AllowUnexported(result{})); d != "" {
			t.Error(d)
		}
	})
}

func TestCountersOfAResultStick(t *testing.T) {
	r := result{attempts: math.MaxUint16 - 1, millis: math.MaxUint32 - 1}
	r.add(5, time.Hour, 2)
	r.add(-1, -time.Hour, 3)
	if want := (result{generation: 3, attempts: math.MaxUint16, millis: math.MaxUint32}); r != want {
		t.Errorf("got %+v, want %+v", r, want)
	}
}

func TestHuman(t *testing.T) {
	for n, want := range map[int64]string{0: "0B", 1023: "1023B", 64 << 10: "64KiB", 1<<20 + 1<<19: "1.5MiB", 10 << 30: "10GiB"} {
		if got := human(n); got != want {
			t.Errorf("human(%d) is %s, want %s", n, got, want)
		}
	}
}

func TestIDsSortByTime(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var ids []string
	for n := range 100 {
		ids = append(ids, NewID(at.Add(time.Duration(n)*time.Millisecond)).String())
	}
	if !slices.IsSorted(ids) || len(slices.Compact(ids)) != 100 || len(ids[0]) != 32 {
		t.Errorf("ids do not sort by time: %v", ids[:3])
	}
}
