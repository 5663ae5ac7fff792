package expr

import (
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/syncd/syncd/engine/spelling"
)

// identifier compiles a name that stands alone: a variable, or what the scope offers.
func (c *compiler) identifier(n *ast.IdentifierNode) value {
	for i := len(c.lets) - 1; i >= 0; i-- {
		if c.lets[i].name == n.Value {
			return c.lets[i].value
		}
	}
	at := c.of(n)
	switch n.Value {
	case "each":
		if !c.scope.hasEach() {
			return c.noEach(at)
		}
		return c.errorAt(at, "write each.key or each.value", "each is not a value of its own")
	case "var", "local":
		return c.errorAt(at, "write "+n.Value+".NAME", "%s is not a value of its own", n.Value)
	case "secret":
		return c.errorAt(at, "", "secret.NAME can only be an argument of %s", hashFunctions)
	}
	i := nameIndex(n.Value)
	if i < 0 || loaders[i].load == nil || !c.scope.sees(n.Value) {
		return c.unknownName(at, n.Value)
	}
	c.uses |= 1 << i
	k := kData
	if n.Value == "event" {
		k = kObject
	}
	return value{node: name(i), kind: k}
}

func (c *compiler) unknownName(at span, name string) value {
	all := c.scope.visible()
	near := all
	for _, l := range c.lets {
		near = append(near, l.name)
	}
	hint := didYouMean(name, near)
	switch _, isFunction := functions[name]; {
	case isFunction:
		hint = "to call the function, write " + name + "(…)"
		if functions[name].min == 0 {
			hint = "to call the function, write " + name + "()"
		}
	case otherWords[strings.ToLower(name)] != "":
		hint = "write " + otherWords[strings.ToLower(name)]
	case hint == "" && !c.leadsOn(at):
		hint = "for the text itself, write " + quoteText(name)
	}
	return c.errorAt(at, hint, "%q is not something an expression can see here: %s", name, strings.Join(all, ", "))
}

// otherWords are what other languages call nil, true and false.
var otherWords = map[string]string{
	"null": "nil", "none": "nil", "undefined": "nil", "true": "true", "false": "false", "yes": "true", "no": "false",
}

// leadsOn tells whether more of a path follows the name at at.
func (c *compiler) leadsOn(at span) bool {
	rest := strings.TrimLeft(c.src.Text[at.to:], " \t\r\n")
	return rest != "" && strings.ContainsRune(".[?", rune(rest[0]))
}

// didYouMean is a hint with the nearest of the names, if one is near.
func didYouMean(name string, all []string) string {
	best := spelling.Nearest(name, all)
	if best == "" {
		return ""
	}
	return `did you mean "` + best + `"?`
}

// group compiles var.NAME, local.NAME, secret.NAME and each.NAME.
func (c *compiler) group(group, entry string, at, entryAt span) value {
	c.uses |= 1 << nameIndex(group)
	switch group {
	case "secret":
		return c.errorAt(at, "", "secret.%s can only be an argument of %s", entry, hashFunctions)
	case "each":
		return c.each(entry, at, entryAt)
	}
	v, sensitive, ok := c.scope.entry(group, entry)
	switch {
	case sensitive:
		return c.sensitive(at, group+"."+entry)
	case !ok:
		return c.errorAt(entryAt, didYouMean(entry, c.scope.entries(group)), "there is no %s.%s", group, entry)
	}
	c.scope.note(group + "." + entry)
	if _, ok := v.(Unknown); ok {
		return value{node: open{}, kind: kAny}
	}
	return literal(c.given(fromGo(v)))
}

func (c *compiler) sensitive(at span, name string) value {
	return c.errorAt(at, "for a signature, declare it as a secret and write secret.NAME in "+hashFunctions,
		"%s is sensitive: an expression may not see it", name)
}

// secret compiles an argument of a hash function, where secret.NAME is allowed.
func (c *compiler) secret(n ast.Node) (value, bool) {
	m, ok := n.(*ast.MemberNode)
	if !ok {
		return value{}, false
	}
	base, ok := m.Node.(*ast.IdentifierNode)
	entry, named := m.Property.(*ast.StringNode)
	if !ok || !named || base.Value != "secret" {
		return value{}, false
	}
	c.uses |= 1 << nameIndex("secret")
	at := c.of(n)
	if c.scope != nil {
		if s, ok := c.scope.Secrets[entry.Value]; ok {
			c.scope.note("secret." + entry.Value)
			return value{node: constant{c.given(s)}, kind: kText, at: at}, true
		}
	}
	v := c.errorAt(c.of(m.Property), didYouMean(entry.Value, c.scope.entries("secret")), "there is no secret.%s", entry.Value)
	v.at = at
	return v, true
}

var eventFields = []string{"id", "key", "source", "time"}

// eventField compiles event.NAME without making an object of the event.
func (c *compiler) eventField(entry string, at span) value {
	c.uses |= 1 << nameIndex("event")
	switch entry {
	case "id", "key", "source":
		return value{node: eventText(entry), kind: kText}
	case "time":
		return value{node: eventTime{}, kind: kTime}
	}
	return c.errorAt(at, didYouMean(entry, eventFields), "an event has no %s: only %s", entry, strings.Join(eventFields, ", "))
}

// name is a top-level name, by its place in loaders.
type name int

func (n name) eval(m *machine) any {
	switch n {
	case bodyName: // by far the most frequent
		return m.body()
	case metaName:
		return m.meta()
	}
	return loaders[n].load(&m.in)
}

type eventText string

func (n eventText) eval(m *machine) any {
	switch n {
	case "id":
		return m.in.Event.ID
	case "key":
		return m.in.Event.Key
	}
	return m.in.Event.Source
}

type eventTime struct{}

func (eventTime) eval(m *machine) any { return m.in.Event.Time }

// pointer compiles # and .field's base, #index and #acc.
func (c *compiler) pointer(n *ast.PointerNode) value {
	depth := len(c.loops) - 1
	at := c.of(n)
	if depth < 0 {
		return c.errorAt(at, "", "# stands for an element: it has a meaning only in the predicate of map, filter, …")
	}
	switch n.Name {
	case "":
		return value{node: item(depth), kind: c.loops[depth].item}
	case "index":
		return value{node: index(depth), kind: kInt}
	case "acc":
		if c.loops[depth].acc {
			return value{node: acc(depth), kind: kAny, grows: true}
		}
		return c.errorAt(at, "", "#acc has a meaning only directly in the predicate of reduce")
	}
	return c.errorAt(at, "", "there is no #%s: only #, #index and, in reduce, #acc", n.Name)
}

type (
	item  int
	index int
	acc   int
)

func (n item) eval(m *machine) any  { return m.frames[n].item }
func (n index) eval(m *machine) any { return int64(m.frames[n].index) }
func (n acc) eval(m *machine) any   { return m.frames[n].acc }

// let compiles a variable: let x = …; …
func (c *compiler) let(n *ast.VariableDeclaratorNode) value {
	at := c.span(n.Location())
	if _, ok := functions[n.Name]; ok {
		c.errorAt(at, "", "%s is a function: give the variable another name", n.Name)
	}
	if nameIndex(n.Name) >= 0 {
		c.errorAt(at, "", "%s has a meaning already: give the variable another name", n.Name)
	}
	v := c.compile(n.Value)
	slot := c.slots
	c.slots++
	bound := v
	bound.node = variable(slot)
	c.lets = append(c.lets, let{n.Name, bound})
	body := c.compile(n.Expr)
	c.lets = c.lets[:len(c.lets)-1]
	body.node = &letNode{slot: slot, value: v.node, body: body.node}
	return body
}

type variable int

func (n variable) eval(m *machine) any { return m.slots[n] }

type letNode struct {
	value, body node
	slot        int
}

func (n *letNode) eval(m *machine) any {
	m.slots[n.slot] = n.value.eval(m)
	return n.body.eval(m)
}
