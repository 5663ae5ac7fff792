package config

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

type variableConfig struct {
	Description string    `hcl:"description" doc:"A note for people; nothing depends on it."`
	Default     cty.Value `hcl:"default,secret" doc:"Its value when nothing sets it; also says of what type it is." example:"\"scl\""`
	Sensitive   bool      `hcl:"sensitive" doc:"true: its value never shows, and only attributes that hold secrets take it."`

	Validation []validationConfig `hcl:"validation,block" doc:"A rule that its value must keep."`
}

type secretConfig struct {
	Description string    `hcl:"description" doc:"A note for people; nothing depends on it."`
	Value       cty.Value `hcl:"value,required,secret" doc:"The secret itself." example:"credential(\"partner\")"`
}

func (l *loader) evaluateVariables() {
	l.globals.plain = true
	for i := range l.blocks["variable"] {
		d := &l.blocks["variable"][i]
		if l.index[d.address] == d {
			l.evaluateVariable(d)
		}
	}
	l.globals.plain = false
	for _, name := range keys(l.opts.Variables) {
		if l.globals.defs["var"][name] == nil && !l.incomplete {
			l.fail(fmt.Sprintf("no variable %q", name), fmt.Sprintf("--var %s=… sets a variable that no file declares. Write variable %q {} to declare it.", name, name)+
				line(suggest(name, keys(l.globals.defs["var"]))))
		}
	}
}

func (l *loader) evaluateVariable(d *declared) {
	var cfg variableConfig
	dec := l.decoding(d.file, "in "+blockName(d.block))
	dec.block(d.block, "", &cfg)
	name := d.block.Labels[0]
	v := cfg.Default
	text, from, ok := l.variableText(name)
	if ok {
		v = l.variableValue(d, text, from, cfg.Default).WithSameMarks(cfg.Default)
	} else if v == cty.NilVal && dec.failed {
		v = cty.DynamicVal
	} else if v == cty.NilVal {
		v = l.noValue(d, name)
	}
	if cfg.Sensitive {
		v = v.Mark(sensitiveMark)
	}
	l.ruled = append(l.ruled, &ruled{decoding: dec, declared: d, from: from, rules: cfg.Validation})
	l.define(&global{root: "var", name: name, file: d.file, header: header(d.block), value: v, state: resolved})
}

// variableText is what --var or the environment say, and from which of the two it is.
func (l *loader) variableText(name string) (text, from string, ok bool) {
	if text, ok = l.opts.Variables[name]; ok {
		return text, "--var " + name, true
	}
	if text, ok = l.opts.LookupEnv("SYNCD_VAR_" + name); ok {
		return text, "SYNCD_VAR_" + name, true
	}
	return "", "", false
}

func (l *loader) noValue(d *declared, name string) cty.Value {
	summary, say := fmt.Sprintf("variable %s has no value", name), l.error
	if l.placeholders() {
		say = l.warn
	}
	say(d.spot(), summary, fmt.Sprintf("Set it by --var %s=… or SYNCD_VAR_%s, or give it a default here.", name, name))
	return cty.UnknownVal(cty.String)
}

// variableValue reads text as a value of the type that the default has.
func (l *loader) variableValue(d *declared, text, from string, standard cty.Value) cty.Value {
	if standard == cty.NilVal || standard.Type() == cty.String || standard.Type() == cty.DynamicPseudoType {
		return cty.StringVal(text)
	}
	v := cty.StringVal(text)
	var err error
	if typ := standard.Type(); typ.IsPrimitiveType() {
		v, err = convert.Convert(v, typ)
	} else {
		v, err = parseValue(text)
	}
	if err != nil {
		l.error(d.spot(), fmt.Sprintf("%s is not %s", from, article(standard)),
			fmt.Sprintf("The default of %s is of that type, so that what sets it must be one too.", d.block.Labels[0]))
		return cty.DynamicVal
	}
	return v
}

func parseValue(text string) (cty.Value, error) {
	if _, deep := tooDeep([]byte(text)); deep {
		return cty.NilVal, fmt.Errorf("nested too deeply")
	}
	e, diags := hclsyntax.ParseExpression([]byte(text), "", hcl.InitialPos)
	if diags.HasErrors() {
		return cty.NilVal, diags
	}
	v, diags := e.Value(nil)
	if diags.HasErrors() {
		return cty.NilVal, diags
	}
	return v, nil
}

// checkSecrets decodes the secret blocks, whose values are known by now, for what
// else may be wrong with them.
func (l *loader) checkSecrets() {
	l.publish()
	for i := range l.blocks["secret"] {
		d := &l.blocks["secret"][i]
		var cfg secretConfig
		dec := l.decoding(d.file, "in "+blockName(d.block))
		dec.block(d.block, "", &cfg)
		if cfg.Value == cty.NilVal {
			continue
		}
		value, _ := cfg.Value.UnmarkDeep()
		if _, err := convert.Convert(value, cty.String); err != nil {
			dec.error(dec.at(d.block.Body.Attributes["value"].Expr.Range()), "a secret is text", fmt.Sprintf("This is %s.", article(value)))
		}
	}
}
