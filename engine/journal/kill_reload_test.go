package journal_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/journal"
)

// TestKillReload kills a process that moves its source, flow and sink with every
// generation, under load. What stands in the newest generation must be what all
// names, progress, origins and state say.
func TestKillReload(t *testing.T) {
	if dir := os.Getenv(victimDir); dir != "" {
		reloader(dir)
		return
	}
	dir := t.TempDir()
	newest, events := int64(0), int64(0)
	for n := range kills {
		for _, line := range killVictim(t, "TestKillReload", dir, n) {
			if g, err := strconv.ParseInt(line, 10, 64); err == nil {
				newest = max(newest, g)
			} else {
				events++
			}
		}
		newest = checkReloads(t, dir, newest, events)
	}
	if newest < kills || events < kills {
		t.Errorf("only %d generations and %d events in %d runs", newest, events, kills)
	}
}

// checkReloads opens what a reloader left, which has told of a generation and so
// many events. It gives the newest generation.
func checkReloads(t *testing.T, dir string, told, events int64) int64 {
	t.Helper()
	j := openIn(t, dir, journal.Options{Retention: time.Hour})
	defer j.Close()
	list, err := j.Generations(t.Context(), 1)
	if err != nil || len(list) == 0 || list[0].Number < told {
		t.Fatalf("generation %d was told of; kept are %+v, %v", told, list, err)
	}
	n := list[0].Number
	g, err := j.Generation(t.Context(), n)
	if err != nil || len(g.Files) != 1 || g.Files[0].Text != fmt.Sprint("# ", n) {
		t.Errorf("generation %d says %+v, %v", n, g.Files, err)
	}
	top := generationOf(n)
	flow, source, sink := top.Flows[0].Name, top.Flows[0].Sources[0], top.Flows[0].Sinks[0]
	s, err := j.Stats(t.Context())
	if err != nil || len(s.Sources) != 1 || len(s.Flows) != 1 || len(s.Lanes) != 2 {
		t.Fatalf("something was torn apart: %+v, %v", s, err)
	}
	if s.Sources[0].Source != source || s.Sources[0].Accepted < events || s.Flows[0].Flow != flow || s.Flows[0].Accepted != s.Sources[0].Accepted || s.Lanes[1].Sink != sink {
		t.Errorf("after generation %d and %d events: %+v", n, events, s)
	}
	origins, err := j.Origins(t.Context())
	if d := cmp.Diff(map[string]string{flow: "orders.1", sink: "crm.1"}, origins); err != nil || d != "" {
		t.Errorf("origins: %s, %v", d, err)
	}
	state, there, err := j.Get(t.Context(), source, "events")
	if n := s.Sources[0].Accepted; err != nil || there != (n > 0) || there && string(state) != fmt.Sprint(n) {
		t.Errorf("the source's state says %s of %d events (%v)", state, s.Sources[0].Accepted, err)
	}
	return n
}

// generationOf has everything moved since the first one.
func generationOf(n int64) journal.Topology {
	t := journal.Topology{Generation: n, Flows: []journal.Flow{{
		Name: fmt.Sprint("orders.", n), Sources: []string{fmt.Sprint("shop.", n)}, Sinks: []string{fmt.Sprint("crm.", n)}}}}
	for i := int64(1); i < n; i++ {
		for _, name := range []string{"orders.", "shop.", "crm."} {
			t.Moved = append(t.Moved, journal.Move{From: fmt.Sprint(name, i), To: fmt.Sprint(name, i+1)})
		}
	}
	return t
}

// reloader moves everything again and again while events come in, one after the
// other, each with the state that counts them.
func reloader(dir string) {
	ctx := context.Background()
	j, err := journal.Open(dir, journal.Options{Ballast: -1, Retention: time.Hour})
	exitOn(err)
	list, err := j.Generations(ctx, 1)
	exitOn(err)
	next := int64(1)
	if len(list) > 0 {
		next = list[0].Number + 1
	}
	var running atomic.Int64
	reload := func() {
		t := generationOf(next)
		t.Record = &journal.Generation{Origin: "reload", Files: []journal.ConfigFile{{Name: "a.hcl", Text: fmt.Sprint("# ", next)}}}
		_, err := j.Configure(ctx, t)
		exitOn(err)
		running.Store(next)
		os.Stdout.WriteString(fmt.Sprintln(next))
		next++
	}
	reload()
	go func() {
		s, err := j.Stats(ctx)
		exitOn(err)
		for n := s.Sources[0].Accepted + 1; ; n++ {
			now := time.Now()
			_, err := j.Append(ctx, journal.Append{Source: fmt.Sprint("shop.", running.Load()), State: []component.Put{{Key: "events", Value: n}},
				Records: []journal.Record{{ID: journal.NewID(now), Time: now, Payload: journal.Payload{Raw: []byte("x")}}}})
			exitOn(err)
			os.Stdout.WriteString("event\n")
		}
	}()
	for {
		reload()
	}
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
