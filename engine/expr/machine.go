package expr

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// The budget of one evaluation. Steps are what loops and functions do for each
// element or so many bytes; straight-line code costs none, it ends with the
// text. Bytes are all that is allocated, whether still in use or not.
const (
	maxSteps = 10_000_000
	maxBytes = 64 << 20
	// maxDepth bounds how deep lists and objects that an expression builds may nest.
	maxDepth = 1000
	// maxTime is the last resort; it is looked at every checkEvery steps.
	maxTime    = 5 * time.Second
	checkEvery = 250_000
)

// machine runs one evaluation. It is pooled, and never shared while it runs.
type machine struct {
	in    Input
	text  *program // whose nodes run now
	steps int
	mark  int // where steps are looked at next
	bytes int
	began time.Time

	slots  []any   // values of let
	frames []frame // of the loops around a node, outermost first
	args   []any   // of the calls being prepared

	whole  map[string]any // the body, where it is a row and more than a field of it was needed
	exotic bool           // a duration or time zone has come up, and may be in the result
}

// frame is one loop: what #, #index and #acc mean in its predicate.
type frame struct {
	item  any
	acc   any
	index int
}

// node is a part of a compiled expression. eval panics with *Error when it fails.
type node interface{ eval(m *machine) any }

var machines = sync.Pool{New: func() any { return new(machine) }}

// newMachine copies in, which so need not be on the heap.
func newMachine(in *Input) *machine {
	m := machines.Get().(*machine)
	m.in, m.steps, m.mark, m.bytes, m.exotic = *in, maxSteps, maxSteps-checkEvery, maxBytes, false
	return m
}

// release gives m back and turns what a failing node threw into an error.
func (m *machine) release(thrown any) (err error) {
	switch t := thrown.(type) {
	case nil:
	case *Error:
		err = t
	default:
		err = m.internal(t)
	}
	if err != nil {
		clear(m.args[:cap(m.args)])
	}
	clear(m.frames)
	clear(m.slots)
	m.in, m.text, m.whole, m.began = Input{}, nil, nil, time.Time{}
	m.args = m.args[:0]
	machines.Put(m)
	return err
}

func (m *machine) internal(thrown any) error {
	e := &Error{Message: fmt.Sprintf("the expression broke its evaluator: %v", thrown)}
	if m.text != nil {
		e.Source, e.Length = m.text.src, max(1, len(m.text.src.Text))
	}
	return e
}

// reserve makes room for a text's variables and loops.
func (m *machine) reserve(p *program) {
	m.text = p
	if n := int(p.slots); len(m.slots) < n {
		m.slots = append(m.slots, make([]any, n-len(m.slots))...)
	}
	if n := int(p.frames); len(m.frames) < n {
		m.frames = append(m.frames, make([]frame, n-len(m.frames))...)
	}
}

// fail ends the evaluation with a fault at a place of the running text.
func (m *machine) fail(at span, hint, format string, args ...any) {
	panic(&Error{
		Source: m.text.src, Offset: int(at.from), Length: max(1, int(at.to-at.from)),
		Message: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// step takes n steps from the budget.
func (m *machine) step(n int, at span) {
	if m.steps -= n; m.steps < m.mark {
		m.look(at)
	}
}

func (m *machine) look(at span) {
	if m.steps < 0 {
		m.fail(at, "work on a shorter list or text, or split the event first",
			"the expression takes more than %d million steps", maxSteps/1_000_000)
	}
	m.mark = m.steps - checkEvery
	switch now := time.Now(); {
	case m.began.IsZero():
		m.began = now
	case now.Sub(m.began) > maxTime:
		m.fail(at, "work on a shorter list or text, or split the event first",
			"the expression takes longer than %s", maxTime)
	}
}

// take takes n bytes from the budget, before they are allocated where n is not
// bounded by what was taken already.
func (m *machine) take(n int, at span) {
	if m.bytes -= n; m.bytes < 0 || n < 0 {
		m.fail(at, "work on a shorter list or text, or split the event first",
			"the expression needs more than %d MiB of memory", maxBytes>>20)
	}
}

// What values weigh, rounded up from what Go's allocator gives them.
const (
	listWeight   = 24 // and slotWeight for each element
	slotWeight   = 24 // an element: its slot, and what a number or a string's head takes
	objectWeight = 336
	pairWeight   = 64
)

func (m *machine) newList(n int, at span) []any {
	m.take(listWeight+n*slotWeight, at)
	return make([]any, 0, n)
}

func (m *machine) newObject(n int, at span) map[string]any {
	m.take(max(objectWeight, n*pairWeight), at)
	return make(map[string]any, n)
}

// push appends to a list that grows, at the price of what append would allocate.
func (m *machine) push(list []any, v any, at span) []any {
	if len(list) == cap(list) {
		size := max(8, 2*cap(list))
		m.take(listWeight+size*slotWeight, at)
		list = append(make([]any, 0, size), list...)
	}
	return append(list, v)
}

// room makes sure that n bytes can be appended, at the price of what it allocates.
func (m *machine) room(dst []byte, n int, at span) []byte {
	if cap(dst)-len(dst) >= n {
		return dst
	}
	size := max(2*cap(dst), len(dst)+n, 128)
	m.take(size, at)
	return append(make([]byte, 0, size), dst...)
}

// quote gives the text at a place, short enough for a message.
func (m *machine) quote(at span) string { return shorten(m.text.src.Text[at.from:at.to]) }

const longestQuote = 60

func shorten(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= longestQuote {
		return s
	}
	return strings.ToValidUTF8(s[:longestQuote], "") + "…"
}

// failNil says that the operand is nil and shows whole with a fallback for it.
func (m *machine) failNil(operand, whole span, want kind, bare bool) {
	m.fail(operand, m.orElse(operand, whole, want, bare), "%s is nil", m.quote(operand))
}

// orElse shows how whole would read with operand ?? fallback; bare leaves out
// the parentheses that operators need around it.
func (m *machine) orElse(operand, whole span, want kind, bare bool) string {
	text, fallback := m.text.src.Text, want.fallback()
	inner := text[operand.from:operand.to]
	if fallback == "" || len(inner) > longestQuote || strings.ContainsAny(inner, " \n?") {
		return ""
	}
	inner += " ?? " + fallback
	if !bare {
		inner = "(" + inner + ")"
	}
	if whole.from <= operand.from && operand.to <= whole.to {
		if all := text[whole.from:operand.from] + inner + text[operand.to:whole.to]; len(all) <= 2*longestQuote {
			inner = strings.Join(strings.Fields(all), " ")
		}
	}
	return "write " + inner
}

// wrong says that the operand is not what is needed there.
func (m *machine) wrong(operand, whole span, v any, want kind, bare bool, who string) {
	is := kindOf(v)
	switch {
	case is == kNil:
		m.failNil(operand, whole, want, bare)
	case is == kBig && want&kNumber != 0:
		m.fail(operand, "", "%s is a whole number beyond 64 bits: it can be passed on, but not calculated with", m.quote(operand))
	case is == 0:
		m.fail(operand, "", "%s is a value of a kind that expressions do not know (%T)", m.quote(operand), v)
	}
	hint := ""
	switch {
	case is&kText != 0 && want&kNumber != 0:
		hint = "write number(" + m.quote(operand) + ")"
	case is&(kNumber|kBool|kTime) != 0 && want == kText:
		hint = "write string(" + m.quote(operand) + ")"
	case is == kObject && want == kList:
		hint = "write values(" + m.quote(operand) + ") or toPairs(" + m.quote(operand) + ")"
	}
	m.fail(operand, hint, "%s needs %s, but %s is %s", who, want, m.quote(operand), is)
}
