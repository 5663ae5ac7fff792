package simulation

import "strconv"

// way is one delivery that a flow makes of an event: the sink and the child path.
type way struct {
	sink int
	path string
}

// journey is what a flow makes of an event: its deliveries, in order, and whether
// a poison step kills it as long as it is not fixed.
type journey struct {
	ways []way
	dies bool
}

// walker follows an event through a flow.
type walker struct {
	p   *plan
	out journey
}

// element is an event, or a child of one, on its way: its value decides.
type element struct {
	value int
	path  string
}

func (e element) via(name string) element { return element{e.value, e.path + "/" + name} }

// child is the i-th of a split.
func (e element) child(i int) element {
	return element{e.value*4 + i + 1, e.path + "/" + strconv.Itoa(i)}
}

// journey tells what f makes of event n.
func (p *plan) journey(f *flowPlan, n int) journey {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.journeys) <= n {
		w := walker{p: p}
		w.body(f.body, 0, element{value: len(f.journeys)}, nil)
		f.journeys = append(f.journeys, w.out)
	}
	return f.journeys[n]
}

// body goes on at step i; below is where a body without targets goes on.
func (w *walker) body(b *body, i int, e element, below func(element)) {
	if i == len(b.steps) {
		w.end(b, e, below)
		return
	}
	st := b.steps[i]
	next := func(e element) { w.body(b, i+1, e, below) }
	switch st.kind {
	case filter:
		if !st.match.takes(e.value) {
			next(e)
		}
	case split:
		for c := range e.value % 4 {
			next(e.child(c))
		}
	case poison:
		w.out.dies = w.out.dies || st.match.takes(e.value)
		next(e)
	case route:
		w.route(st, e, next)
	}
}

func (w *walker) route(st *step, e element, next func(element)) {
	taken := false
	for _, br := range st.cases {
		if br.otherwise && taken || !br.otherwise && !br.match.takes(e.value) {
			continue
		}
		taken = true
		w.body(br.body, 0, e.via(br.name), next)
		if !st.all {
			return
		}
	}
}

func (w *walker) end(b *body, e element, below func(element)) {
	if b.to == nil && below != nil {
		below(e)
		return
	}
	for _, t := range b.to {
		if t.called != nil {
			w.body(t.called, 0, e.via(t.name), nil)
			continue
		}
		if when := w.p.sinks[t.sink].when; when.mod == 0 || !when.takes(e.value) {
			w.out.ways = append(w.out.ways, way{t.sink, e.path})
		}
	}
}
