package simulation

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/syncd/syncd/engine/journal"
)

// plan is a configuration: what flows exist and what they do with an event. It is
// written down independently of package flow, so that it can tell what must come
// out (see ways) and be turned into what runs (see program_test.go).
type plan struct {
	sources []string
	flows   []*flowPlan
	sinks   []*sinkPlan
}

type flowPlan struct {
	index       int
	name        string
	sources     []string
	body        *body
	orderBy     bool
	hold        bool // events of a key wait behind its dead letters
	fickle      bool // its order_by changes with each edit, so that there is no order to rely on
	concurrency int
	late        bool  // it is not there at first
	oldest      bool  // it begins with what there is then
	backlog     int64 // in bytes; 0: no limit

	mu       sync.Mutex
	journeys []journey // by event
}

// body is steps and then, unless it goes on below, targets.
type body struct {
	steps []*step
	to    []target
}

// target is a sink, or a called flow.
type target struct {
	sink   int
	called *body
	name   string // of the called flow
}

type stepKind int

const (
	filter stepKind = iota // passes what does not match
	split                  // makes a child for each of value%4
	poison                 // fails for what matches, until it is fixed
	route
	stepKinds
)

type step struct {
	kind  stepKind
	match match
	cases []*branch // of a route
	all   bool
}

// branch is a case of a route; without a condition it takes what no other took.
type branch struct {
	name      string
	otherwise bool
	match     match
	body      *body
}

// match is a condition on an event's value.
type match struct{ mod, rest int }

func (m match) takes(v int) bool { return v%m.mod == m.rest }

type sinkKind int

const (
	plain   sinkKind = iota // at-least-once; its table of keys would make it exactly-once
	file                    // ordered, with a durable position
	batched                 // takes several at a time, under a key of their own
)

type sinkPlan struct {
	index       int
	address     string
	kind        sinkKind
	when        match // deliveries that match are left out; mod 0: none
	concurrency int
	batch       int
	within      time.Duration // of a batch
	groups      int           // of which a batch has one
	each        bool          // of a batch, it tells what became of each
	expires     time.Duration // 0: never
	timeout     time.Duration
	retryFor    time.Duration
	initial     time.Duration
	failures    int
}

func (f *flowPlan) lane(s *sinkPlan) journal.Lane {
	return journal.Lane{Flow: f.name, Sink: s.address}
}

const maxConcurrency = 8 // of flows and sinks

// newPlan draws a configuration.
func newPlan(s seed) *plan {
	p := &plan{}
	for i := range 1 + s.pick(2, "sources") {
		p.sources = append(p.sources, fmt.Sprintf("source.test.s%d", i))
	}
	for i := range 2 + s.pick(3, "sinks") {
		p.sinks = append(p.sinks, newSinkPlan(s, i))
	}
	called := &body{to: p.targets(s, 900, 1)}
	if s.chance(50, "called filter") {
		called.steps = []*step{{kind: filter, match: newMatch(s, 900)}}
	}
	for i := range 1 + s.pick(3, "flows") {
		p.flows = append(p.flows, p.newFlow(s, i, called))
	}
	if !p.crowded(s) {
		for _, k := range p.sinks {
			k.concurrency = maxConcurrency * len(p.flows)
		}
	}
	return p
}

// crowded tells whether lanes may have to wait for each other at a sink. Who is
// first in such a queue is up to the scheduler: the seed does not decide it.
func (p *plan) crowded(s seed) bool { return s.chance(30, "crowded") }

func newSinkPlan(s seed, i int) *sinkPlan {
	k := &sinkPlan{
		index: i, address: fmt.Sprintf("sink.test.k%d", i),
		concurrency: 1 + s.pick(maxConcurrency, "sink concurrency", i),
		batch:       1 + s.pick(6, "sink batch", i),
		timeout:     s.between(500*time.Millisecond, 3*time.Second, "timeout", i),
		retryFor:    s.between(3*time.Second, 20*time.Second, "retry for", i),
		initial:     s.between(20*time.Millisecond, 500*time.Millisecond, "retry initial", i),
		failures:    2 + s.pick(4, "breaker", i),
	}
	switch {
	case s.chance(40, "ordered", i):
		k.kind, k.concurrency = file, 1
	case s.chance(40, "batched", i):
		k.kind = batched
		k.within = s.between(time.Millisecond, 200*time.Millisecond, "within", i)
		k.groups, k.each = 1+s.pick(3, "groups", i), s.chance(30, "each", i)
	}
	if s.chance(20, "expires", i) {
		k.expires = s.between(20*time.Second, 90*time.Second, "expire", i)
	}
	if s.chance(25, "sink when", i) {
		k.when = newMatch(s, 800+i)
	}
	return k
}

func newMatch(s seed, about ...int) match {
	mod := 2 + s.pick(5, "mod", about...)
	return match{mod, s.pick(mod, "rest", about...)}
}

func (p *plan) newFlow(s seed, i int, called *body) *flowPlan {
	f := &flowPlan{
		index: i, name: fmt.Sprintf("flow.f%d", i),
		sources:     p.sources[:1+s.pick(len(p.sources), "flow sources", i)],
		orderBy:     s.chance(40, "order", i),
		concurrency: 1 + s.pick(maxConcurrency, "concurrency", i),
	}
	f.hold = f.orderBy && s.chance(50, "hold", i)
	f.fickle = !f.orderBy && s.chance(50, "fickle", i)
	f.late, f.oldest = s.chance(30, "late", i), s.chance(50, "oldest", i)
	if s.chance(15, "backlog", i) {
		f.backlog = int64(s.between(300, 3000, "backlog size", i))
	}
	f.body = p.newBody(s, 10*(i+1), 2)
	if s.chance(30, "calls", i) {
		f.body.to = append(f.body.to, target{called: called, name: "flow.called"})
	}
	return f
}

// newBody draws steps and targets; id tells bodies apart.
func (p *plan) newBody(s seed, id, depth int) *body {
	b := &body{to: p.targets(s, id, 1+s.pick(3, "width", id))}
	for j := range s.pick(4, "steps", id) {
		kind := stepKind(s.pick(int(stepKinds), "kind", id, j))
		if depth == 0 && (kind == route || kind == split) {
			kind = filter
		}
		b.steps = append(b.steps, p.newStep(s, id*10+j, kind, depth))
	}
	return b
}

func (p *plan) newStep(s seed, id int, kind stepKind, depth int) *step {
	st := &step{kind: kind, match: newMatch(s, id), all: s.chance(50, "all", id)}
	if kind == poison {
		st.match = match{11, s.pick(11, "poison", id)}
	}
	if kind != route {
		return st
	}
	for c := range 2 {
		br := &branch{name: "c" + strconv.Itoa(c), match: newMatch(s, id, c), body: p.newBody(s, id*10+c, depth-1)}
		if s.chance(40, "goes on", id, c) {
			br.body.to = nil
		}
		st.cases = append(st.cases, br)
	}
	if s.chance(50, "otherwise", id) {
		st.cases = append(st.cases, &branch{name: "rest", otherwise: true, body: p.newBody(s, id*10+9, depth-1)})
	}
	return st
}

// targets draws n different sinks.
func (p *plan) targets(s seed, id, n int) []target {
	first := s.pick(len(p.sinks), "target", id)
	var out []target
	for j := range min(n, len(p.sinks)) {
		out = append(out, target{sink: (first + j) % len(p.sinks)})
	}
	return out
}
