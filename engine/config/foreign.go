package config

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// foreignBlocks are blocks that other programs' configurations have at the top
// level, and what to write here.
var foreignBlocks = map[string]string{
	"resource":  `What there is is declared by what it does: source "KIND" "NAME", sink "KIND" "NAME" or connection "KIND" "NAME" { … }.`,
	"provider":  `How another system is reached is said by connection "KIND" "NAME" { … }.`,
	"data":      `Lookup data of a file is declared by table "NAME" { … }.`,
	"output":    `Where events go is declared by sink "KIND" "NAME" { … }; a value of your own by locals { NAME = … }.`,
	"input":     `Where events come from is declared by source "KIND" "NAME" { … }; a value that is set from outside by variable "NAME" { … }.`,
	"module":    wholeDirectory,
	"include":   wholeDirectory,
	"import":    wholeDirectory,
	"terraform": `Take it out: all kinds are built in, and state is kept in the state_dir of daemon.`,
	"pipeline":  `The way of events is declared by flow "NAME" { … }.`,
	"server":    `An address to listen on is declared by listener "http" "NAME" { … }.`,
}

const wholeDirectory = `All *.hcl files of a directory, and of those below it, make one configuration. Steps for several flows go into transform "NAME" { … }.`

// foreignAttributes are attributes that Terraform's users know, by the type of
// block, "" for any, and what to write here.
var foreignAttributes = map[string]map[string]string{
	"variable": {
		"type":      "The type of a variable is that of its default. A rule for its value is a block: validation { … }.",
		"nullable":  "A variable without a default must be set from outside.",
		"ephemeral": "sensitive = true keeps a value out of everything that is shown.",
	},
	"": {
		"depends_on": "Order means nothing here: what refers to something waits for it by itself.",
		"provider":   "What a component reaches is said by connection = connection.KIND.NAME.",
	},
}

// foreignLoadFunctions are functions of Terraform, and what to do without them.
var foreignLoadFunctions = map[string]string{
	"tostring": "A value needs no conversion: text, numbers, true and false become what an attribute takes.",
	"tonumber": "A value needs no conversion: text, numbers, true and false become what an attribute takes.",
	"tobool":   "A value needs no conversion: text, numbers, true and false become what an attribute takes.",
	"tolist":   "A value needs no conversion: a set or tuple stands where a list may.",
	"tomap":    "A value needs no conversion: an object stands where a map may.",
	"try":      "lookup(OBJECT, \"NAME\", DEFAULT) reads a field that may be missing, env(\"NAME\", DEFAULT) the environment.",
	"can":      "lookup(OBJECT, \"NAME\", DEFAULT) reads a field that may be missing, env(\"NAME\", DEFAULT) the environment.",
}

// foreignAttribute is what to write instead of an attribute that stands in own as if
// it were another program's.
func (d *decoding) foreignAttribute(own enclosing, attr *hclsyntax.Attribute) string {
	typ := own.block.Type
	switch say := foreignAttributes[typ][attr.Name]; {
	case say != "":
		return say
	case own.others[attr.Name]:
		return d.stepAsAttribute(attr)
	case attr.Name == "count" && slices.Contains(repeatableTypes, typ):
		return "Many components of one block are made by for_each, which names each: for_each = toset([\"a\", \"b\"])."
	}
	return foreignAttributes[""][attr.Name]
}

// stepAsAttribute answers map = { … } and the like.
func (d *decoding) stepAsAttribute(attr *hclsyntax.Attribute) string {
	inside := "…"
	if kind, ok := d.l.kinds["step"][attr.Name]; ok {
		t := d.targets([]any{kind.NewConfig()})
		if names := fieldNames(t, attribute); len(names) == 1 && !isObject(attr.Expr) {
			inside = names[0] + " = " + d.file.source(attr.Expr.Range())
		}
	}
	return fmt.Sprintf("%s is a block, which has no equals sign: %s { %s }.", attr.Name, attr.Name, inside)
}
