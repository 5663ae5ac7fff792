package journal_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// victimDir makes the test binary a process that appends and settles there until
// it is killed; see victim.
const victimDir = "JOURNAL_TEST_VICTIM"

const (
	kills      = 12
	submitters = 8
)

// TestKill kills a process at random moments. Every append that it has told of
// must be there, once; each submitter's state must be what its last append said;
// and the account must add up.
func TestKill(t *testing.T) { testKill(t, 0) }

// TestKillBlobs does so while every payload is a file of its own.
func TestKillBlobs(t *testing.T) { testKill(t, 1) }

func testKill(t *testing.T, blob int) {
	if dir := os.Getenv(victimDir); dir != "" {
		victim(dir, blob)
		return
	}
	dir := t.TempDir()
	told := map[string]bool{}
	for n := range kills {
		for _, line := range killVictim(t, t.Name(), dir, n) {
			told[line] = true
		}
		check(t, dir, told)
	}
	if len(told) < kills*10 {
		t.Errorf("only %d appends in %d runs", len(told), kills)
	}
}

// killVictim starts that test as a victim, kills it some time after its first word, and gives
// the lines that it told.
func killVictim(t *testing.T, test, dir string, run int) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+test+"$")
	cmd.Env = append(os.Environ(), victimDir+"="+dir, "JOURNAL_TEST_RUN="+strconv.Itoa(run))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(out)
	var begun strings.Builder
	for range 1 + rand.IntN(20) { // so that a slow machine has a victim at work, too
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("the victim said no more: %v", err)
		}
		begun.WriteString(line)
	}
	timer := time.AfterFunc(time.Duration(rand.IntN(250))*time.Millisecond, func() { cmd.Process.Kill() })
	defer timer.Stop()
	rest, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	lines := strings.Split(begun.String()+string(rest), "\n")
	return lines[:len(lines)-1] // the last is empty, or cut off
}

// check opens what a victim left.
func check(t *testing.T, dir string, told map[string]bool) {
	t.Helper()
	j := openIn(t, dir, journal.Options{Retention: time.Hour})
	defer j.Close()
	seen, last := map[string]int{}, map[string]string{}
	for _, body := range stored(t, j) {
		seen[body]++
		who, _, _ := strings.Cut(body, ".")
		last[who] = body
	}
	for body, n := range seen {
		if n != 1 {
			t.Errorf("%s is there %d times", body, n)
		}
	}
	for body := range told {
		if seen[body] == 0 {
			t.Errorf("%s was acknowledged and is gone", body)
		}
	}
	for n := range submitters {
		who := strconv.Itoa(n)
		raw, _, err := j.Get(t.Context(), "shop", who)
		if err != nil {
			t.Fatal(err)
		}
		var state string
		if raw != nil {
			if err := json.Unmarshal(raw, &state); err != nil {
				t.Fatal(err)
			}
		}
		if state != last[who] {
			t.Errorf("the state of %s says %q, its last event is %q", who, state, last[who])
		}
	}
	dead, err := j.Exceptions(t.Context(), journal.ExceptionQuery{})
	if err != nil {
		t.Fatal(err)
	}
	for _, ex := range dead {
		if want := fmt.Sprint("envelope of ", ex.Position); string(ex.Envelope) != want {
			t.Errorf("an exception has %q, want %q", ex.Envelope, want)
		}
	}
	checkAccount(t, j, len(seen))
}

func checkAccount(t *testing.T, j journal.Journal, events int) {
	t.Helper()
	s, err := j.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Flows) == 0 {
		return
	}
	f := s.Flows[0]
	if f.Accepted != f.Delivered+f.Filtered+f.Dead+f.Dropped+f.Pending || f.Accepted != int64(events) {
		t.Errorf("of %d events the account says %+v", events, f)
	}
}

// victim appends with several submitters and settles behind them, and tells of
// each append when it is acknowledged.
func victim(dir string, blob int) {
	j, err := journal.Open(dir, journal.Options{Ballast: -1, Retention: time.Hour, Blob: blob})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	ctx := context.Background()
	progress, err := j.Configure(ctx, shopFlow("crm"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	run := os.Getenv("JOURNAL_TEST_RUN")
	for n := range submitters {
		go func() {
			for i := 0; ; i++ {
				body := fmt.Sprintf("%d.%s.%d", n, run, i)
				now := time.Now()
				_, err := j.Append(ctx, journal.Append{Source: "shop", State: []component.Put{{Key: strconv.Itoa(n), Value: body}},
					Records: []journal.Record{{ID: journal.NewID(now), Time: now, Payload: journal.Payload{ContentType: "text/plain", Raw: []byte(body)}}}})
				if err == nil {
					os.Stdout.WriteString(body + "\n")
				}
			}
		}()
	}
	for _, p := range progress {
		go settleBehind(ctx, j, p)
	}
	select {}
}

// settleBehind settles a lane's events, some dead, as they come.
func settleBehind(ctx context.Context, j journal.Journal, p journal.Progress) {
	wake, _ := j.Watch([]string{"shop"})
	for range wake {
		frames, err := j.Read(ctx, "shop", p.Low, 64<<10)
		if err != nil {
			continue
		}
		for _, f := range frames {
			s := journal.Settlement{Lane: p.Lane}
			for at := max(f.First, p.Low+1); at <= f.Last(); at++ {
				s.Outcomes = append(s.Outcomes, journal.Outcome{Source: "shop", Position: at, Status: journal.Delivered, Attempts: 1})
				if at%17 == 0 {
					s.Failed = append(s.Failed, journal.Exception{Key: journal.Key{Source: "shop", Position: at}, Dead: true, Envelope: fmt.Append(nil, "envelope of ", at)})
				}
			}
			if j.Settle(ctx, s) == nil {
				p.Low = f.Last()
			}
		}
	}
}
