package expr

// open stands for a value that is not known at load: what was wrong already, or
// the value of a name that is set only where the configuration runs.
type open struct{}

func (open) eval(*machine) any { return nil }

// Unknown stands, in a Scope or a Constant, for a value that is not known yet
// where a configuration is only checked: all that could be said of it at load is
// left open. Nothing that holds one is ever run.
type Unknown struct{}

// fold runs at load what is made of literals only. It fails as it would for
// every event, and a plain result takes its place.
func (c *compiler) fold(v value, parts ...value) value {
	for _, p := range parts {
		if _, ok := literalOf(p); !ok {
			return v
		}
	}
	if _, ok := v.node.(open); ok {
		return v
	}
	out, err, done := (&program{src: c.src, root: v.node}).once()
	if !done {
		return v
	}
	if err != nil {
		c.errs = append(c.errs, err)
		return value{node: v.node, kind: kAny}
	}
	v.kind = kindOf(out)
	if s, ok := out.(string); v.kind&(kNil|kBool|kNumber|kText) != 0 && (!ok || len(s) < maxFolded) {
		return literal(out)
	}
	return v
}

// What fold may take. What takes more, or yields more text, is left to the event.
const (
	foldSteps = 100_000
	foldBytes = 256 << 10
	maxFolded = 1 << 10
)

// once runs a text that needs no event, unless that takes long.
func (p *program) once() (v any, fault *Error, done bool) {
	m := newMachine(&Input{})
	m.text, m.steps, m.bytes, m.mark = p, foldSteps, foldBytes, 0
	defer func() {
		done = m.steps >= 0 && m.bytes >= 0
		if err := m.release(recover()); err != nil {
			v, fault = nil, err.(*Error) // release gives no other
		}
	}()
	return p.root.eval(m), nil, true
}

// Always gives what an expression yields for every event, if that is known at load.
func (e Expr) Always() (v any, ok bool) {
	switch t := e.tree.(type) {
	case fixed:
		return t.v, !t.unknown
	case *program:
		k, ok := t.root.(constant)
		return k.v, ok
	}
	return nil, false
}
