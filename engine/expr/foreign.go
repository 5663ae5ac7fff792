package expr

import "strings"

// foreignFunctions are what other languages call a function, and what to write
// here; $ stands for what it is called with.
var foreignFunctions = map[string]string{
	"length": "len($)", "size": "len($)", "strlen": "len($)",
	"str": "string($)", "tostring": "string($)", "to_s": "string($)",
	"touppercase": "upper($)", "uppercase": "upper($)", "ucase": "upper($)", "toupper": "upper($)",
	"tolowercase": "lower($)", "lowercase": "lower($)", "lcase": "lower($)", "tolower": "lower($)",
	"strip": "trim($)", "trimspace": "trim($)", "startswith": "$ startsWith '…'", "endswith": "$ endsWith '…'",
	"includes": "$ contains '…'", "substr": "$[0:3]", "substring": "$[0:3]", "slice": "$[0:3]",
	"parseint": "int($)", "tonumber": "number($)", "parsefloat": "float($)",
	"stringify": "toJSON($)", "jsonencode": "toJSON($)", "json_encode": "toJSON($)", "jsondecode": "fromJSON($)", "json_decode": "fromJSON($)",
	"base64encode": "toBase64($)", "base64decode": "fromBase64($)", "btoa": "toBase64($)", "atob": "fromBase64($)",
	"coalesce": "$ ?? …", "ifnull": "$ ?? …", "nvl": "$ ?? …", "default": "$ ?? …",
	"isset": "$ != nil", "defined": "$ != nil", "exists": "$ != nil", "isnull": "$ == nil",
	"strftime": "formatTime($, '2006-01-02', 'UTC')", "date_format": "formatTime($, '2006-01-02', 'UTC')",
}

// loadFunctions exist at load alone, where a configuration is read.
var loadFunctions = map[string]bool{"env": true, "file": true, "credential": true, "sensitive": true}

// foreign is the hint about a function that is called name elsewhere, called with arg.
func foreign(name, arg string) string {
	if loadFunctions[name] {
		return "this function works at load: give its value to a local, and write local.NAME here"
	}
	say, ok := foreignFunctions[strings.ToLower(name)]
	if !ok {
		return ""
	}
	return "write " + strings.ReplaceAll(say, "$", arg)
}

// foreignWords are operators of other languages that are words, and what to write here.
var foreignWords = map[string]string{
	"like": "write contains, startsWith or endsWith, or matches with a pattern",
	"then": "a choice is written condition ? value : other",
	"xor":  "of two conditions, write a != b",
	"is":   "write == to compare, == nil where nothing is there", "isnt": "write != to compare", "eq": "write ==", "ne": "write !=",
	"lt": "write <", "le": "write <=", "lte": "write <=", "gt": "write >", "ge": "write >=", "gte": "write >=",
	"mod": "write %", "div": "write /",
	"and": "write and", "or": "write or", "not": "write not", "in": "write in",
}
