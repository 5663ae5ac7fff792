package journal

import (
	"fmt"
	"testing"
	"time"
)

// What exceptions share is stored once, whoever stores it, and goes with the last of them.
func TestShared(t *testing.T) {
	j, err := Open(t.TempDir(), Options{Ballast: -1, Retention: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err = j.Configure(ctx, Topology{Flows: []Flow{{Name: "f", Sources: []string{"s"}, Sinks: []string{"a", "b"}}}})
	must(err)
	now := time.Now()
	_, err = j.Append(ctx, Append{Source: "s", Records: []Record{{ID: NewID(now), Time: now, Payload: Payload{Raw: []byte("1")}}}})
	must(err)
	settle := func(sink string, part *Shared, resolved []string, failed ...string) {
		t.Helper()
		s := Settlement{Lane: Lane{"f", sink}, Outcomes: []Outcome{{Source: "s", Position: 1, Status: Excepted}}}
		for _, path := range failed {
			s.Failed = append(s.Failed, Exception{Key: Key{"s", 1, path}, Shared: part, Dead: true})
		}
		for _, path := range resolved {
			s.Resolved = append(s.Resolved, Resolution{Key: Key{"s", 1, path}, Status: Delivered})
		}
		must(j.Settle(ctx, s))
	}
	parts := func(want string) {
		t.Helper()
		var got string
		must(j.read(ctx, func(c *conn) error {
			n, err := c.integer("SELECT count(*) FROM shared")
			got = fmt.Sprint(n)
			return err
		}))
		list, err := j.Exceptions(ctx, ExceptionQuery{})
		must(err)
		for _, ex := range list {
			if ex.Shared == nil {
				got += " -"
			} else {
				got += " " + string(ex.Shared.Body)
			}
		}
		if got != want {
			t.Errorf("parts, and those of the exceptions: %q, want %q", got, want)
		}
	}
	x, y := &Shared{Body: []byte("x")}, &Shared{Body: []byte("y")}
	settle("a", x, nil, "/0", "/1", "/2")
	settle("b", &Shared{Body: []byte("x")}, nil, "/0")
	settle("a", nil, nil, "")
	parts("1 x x x x -")
	settle("a", y, nil, "/1") // replaces
	parts("2 x y x x -")
	settle("a", nil, []string{"/0", "/1", "/2"})
	parts("1 x -")
	settle("b", x, []string{"/0"}, "/3") // its last goes, and it is needed again
	parts("1 - x")
	list, err := j.Exceptions(ctx, ExceptionQuery{Bare: true})
	must(err)
	if list[1].Shared != nil {
		t.Error("a bare exception has what it shares")
	}
	_, err = j.Drop(ctx, list[1].ID)
	must(err)
	parts("0 -")
}
