package config

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// later is an attribute whose expression is evaluated when what it looks at is known.
type later struct{ hclsyntax.Expression }

type validationConfig struct {
	Condition    later `hcl:"condition,required" doc:"What must be true of the variable; it sees this variable alone." example:"var.port > 1024"`
	ErrorMessage later `hcl:"error_message,required" doc:"What to say when it is not." example:"\"The port is one that needs no root.\""`
}

// ruled is a variable with rules that its value must keep.
type ruled struct {
	*decoding
	declared *declared
	from     string // "--var port", "SYNCD_VAR_port"; "" for the default
	rules    []validationConfig
}

func (g *ruled) name() string { return "var." + g.declared.block.Labels[0] }

// checkVariables holds the values of all variables to their rules, each of which
// says something else.
func (l *loader) checkVariables() {
	for _, g := range l.ruled {
		g.context = fmt.Sprintf("in %s, validation", blockName(g.declared.block))
		for _, rule := range g.rules {
			if rule.Condition.Expression == nil || rule.ErrorMessage.Expression == nil {
				continue
			}
			if !g.seesItself(rule.Condition, true) || !g.seesItself(rule.ErrorMessage, false) {
				continue
			}
			if fits, ok := g.holds(rule.Condition); ok && !fits {
				g.refuse(rule)
			}
		}
	}
}

// seesItself refuses a rule that looks at anything but its own variable.
func (g *ruled) seesItself(e later, must bool) bool {
	ok, mentioned := true, false
	for _, t := range e.Variables() {
		at := g.at(t.SourceRange())
		if len(t) > 1 && isAttr(t[1]) && t.RootName()+"."+t[1].(hcl.TraverseAttr).Name == g.name() {
			mentioned = true
			continue
		}
		ok = false
		g.error(at, fmt.Sprintf("%s in a validation", at.source()), fmt.Sprintf("A validation sees its own variable alone, %s.", g.name()))
	}
	if ok && must && !mentioned {
		if t, ok := e.Expression.(*hclsyntax.TemplateExpr); ok {
			text, _ := isLiteral(t)
			g.error(g.at(e.Range()), "a condition is not quoted", fmt.Sprintf("It is evaluated at load: condition = %s.", text))
			return false
		}
		g.error(g.at(e.Range()), "a condition that does not look at its variable", fmt.Sprintf("It says what must be true of %[1]s: condition = %[1]s != \"\".", g.name()))
		return false
	}
	return ok
}

// holds evaluates a condition. False: it has no answer, which is reported unless
// the value is not known here.
func (g *ruled) holds(e later) (fits, ok bool) {
	v, ok := g.l.value(e, g.at(e.Range()))
	if !ok {
		return false, false
	}
	v, _ = v.UnmarkDeep()
	switch {
	case !v.IsKnown():
	case v.IsNull() || v.Type() != cty.Bool:
		g.error(g.at(e.Range()), "a condition must be true or false", fmt.Sprintf("This is %s.", article(v)))
	default:
		return v.True(), true
	}
	return false, false
}

// refuse reports a value that breaks a rule, where the value comes from.
func (g *ruled) refuse(rule validationConfig) {
	at, from := g.declared.spot(), g.from+" sets it."
	if g.from == "" {
		at, from = g.file.at(g.declared.block.Body.Attributes["default"].Expr.Range()), "It is the default."
	}
	at.context = "in " + blockName(g.declared.block)
	g.error(at, fmt.Sprintf("%s is not valid", g.name()), sentence(g.message(rule.ErrorMessage))+
		line(fmt.Sprintf("%s The rule stands at %s.", from, g.file.place(rule.Condition.Range()))))
}

// message is the rule's own, unless it would show something sensitive.
func (g *ruled) message(e later) string {
	v, ok := g.l.value(e, g.at(e.Range()))
	if v.ContainsMarked() {
		return "What the rule says is not shown: it quotes the value, which is sensitive."
	}
	s, err := convert.Convert(v, cty.String)
	if !ok || err != nil || s.IsNull() || !s.IsKnown() || s.AsString() == "" {
		return "It does not fit its validation rule."
	}
	return s.AsString()
}
