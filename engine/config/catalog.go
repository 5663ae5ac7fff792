package config

import (
	"slices"

	"github.com/syncd/syncd/engine/expr"
)

// LoadFunctions are the functions of values, which are evaluated when the
// configuration is read, by group and name.
func LoadFunctions() []expr.FunctionDoc { return slices.Clone(loadFunctions) }

var loadFunctions = []expr.FunctionDoc{
	{Name: "credential", Group: "surroundings", Signature: "credential(name)", Doc: "The file of that name in $CREDENTIALS_DIRECTORY, where systemd's LoadCredential= puts it; sensitive.", Example: `credential("crm")`},
	{Name: "env", Group: "surroundings", Signature: "env(name, default?)", Doc: "An environment variable. One that is not set needs a default.", Example: `env("HOME")`},
	{Name: "file", Group: "surroundings", Signature: "file(path)", Doc: "The text of a file; a relative path starts at the file that it stands in.", Example: `file("order.schema.json")`},
	{Name: "abspath", Group: "surroundings", Signature: "abspath(path)", Doc: "The path from the root on.", Example: `abspath("out")`},
	{Name: "sensitive", Group: "surroundings", Signature: "sensitive(value)", Doc: "The value, which then never shows and goes only where secrets may stand.", Example: `sensitive("s3cret")`},

	{Name: "chomp", Group: "text", Signature: "chomp(s)", Doc: "Without line breaks at the end.", Example: `chomp("a\n")`, Yields: `"a"`},
	{Name: "format", Group: "text", Signature: "format(spec, value…)", Doc: "Values filled into a text, as printf does.", Example: `format("%s-%03d", "a", 7)`, Yields: `"a-007"`},
	{Name: "formatdate", Group: "text", Signature: "formatdate(spec, time)", Doc: "A time (RFC 3339) in another form.", Example: `formatdate("YYYY-MM-DD", "2026-02-03T04:05:06Z")`, Yields: `"2026-02-03"`},
	{Name: "formatlist", Group: "text", Signature: "formatlist(spec, list…)", Doc: "As format, for each element of lists.", Example: `formatlist("%s.csv", ["a", "b"])`, Yields: `["a.csv","b.csv"]`},
	{Name: "indent", Group: "text", Signature: "indent(n, s)", Doc: "Every line but the first moved in by n.", Example: `indent(2, "a\nb")`, Yields: `"a\n  b"`},
	{Name: "join", Group: "text", Signature: "join(separator, list…)", Doc: "The texts of lists as one.", Example: `join("-", ["a", "b"])`, Yields: `"a-b"`},
	{Name: "lower", Group: "text", Signature: "lower(s)", Doc: "In small letters.", Example: `lower("ANA")`, Yields: `"ana"`},
	{Name: "parseint", Group: "text", Signature: "parseint(s, base)", Doc: "A whole number of text.", Example: `parseint("ff", 16)`, Yields: `255`},
	{Name: "regex", Group: "text", Signature: "regex(pattern, s)", Doc: "What a regular expression (RE2) finds first.", Example: `regex("[0-9]+", "a12b3")`, Yields: `"12"`},
	{Name: "regexall", Group: "text", Signature: "regexall(pattern, s)", Doc: "All that it finds.", Example: `regexall("[0-9]+", "a12b3")`, Yields: `["12","3"]`},
	{Name: "replace", Group: "text", Signature: "replace(s, old, new)", Doc: "Each old part replaced.", Example: `replace("1.234", ".", "")`, Yields: `"1234"`},
	{Name: "split", Group: "text", Signature: "split(separator, s)", Doc: "The parts between separators.", Example: `split(",", "a,b")`, Yields: `["a","b"]`},
	{Name: "strlen", Group: "text", Signature: "strlen(s)", Doc: "How many characters there are.", Example: `strlen("ñu")`, Yields: `2`},
	{Name: "strrev", Group: "text", Signature: "strrev(s)", Doc: "The last character first.", Example: `strrev("abc")`, Yields: `"cba"`},
	{Name: "substr", Group: "text", Signature: "substr(s, offset, length)", Doc: "A part by place.", Example: `substr("abcdef", 1, 3)`, Yields: `"bcd"`},
	{Name: "title", Group: "text", Signature: "title(s)", Doc: "Every word with a capital.", Example: `title("ana rojas")`, Yields: `"Ana Rojas"`},
	{Name: "trim", Group: "text", Signature: "trim(s, chars)", Doc: "Without these characters at both ends.", Example: `trim("--a--", "-")`, Yields: `"a"`},
	{Name: "trimprefix", Group: "text", Signature: "trimprefix(s, prefix)", Doc: "Without the prefix, if it is there.", Example: `trimprefix("v1.2", "v")`, Yields: `"1.2"`},
	{Name: "trimspace", Group: "text", Signature: "trimspace(s)", Doc: "Without white space at both ends.", Example: `trimspace(" a\n")`, Yields: `"a"`},
	{Name: "trimsuffix", Group: "text", Signature: "trimsuffix(s, suffix)", Doc: "Without the suffix, if it is there.", Example: `trimsuffix("a.csv", ".csv")`, Yields: `"a"`},
	{Name: "upper", Group: "text", Signature: "upper(s)", Doc: "In capital letters.", Example: `upper("cl")`, Yields: `"CL"`},

	{Name: "coalesce", Group: "lists", Signature: "coalesce(value…)", Doc: "The first that is not null.", Example: `coalesce(null, "a")`, Yields: `"a"`},
	{Name: "compact", Group: "lists", Signature: "compact(list)", Doc: "Without empty texts.", Example: `compact(["a", ""])`, Yields: `["a"]`},
	{Name: "concat", Group: "lists", Signature: "concat(list…)", Doc: "The elements of all lists in one.", Example: `concat(["a"], ["b"])`, Yields: `["a","b"]`},
	{Name: "contains", Group: "lists", Signature: "contains(list, value)", Doc: "Whether it is an element.", Example: `contains(["a", "b"], "b")`, Yields: `true`},
	{Name: "distinct", Group: "lists", Signature: "distinct(list)", Doc: "Each element once.", Example: `distinct(["a", "b", "a"])`, Yields: `["a","b"]`},
	{Name: "element", Group: "lists", Signature: "element(list, index)", Doc: "An element by place; past the end it begins again.", Example: `element(["a", "b"], 3)`, Yields: `"b"`},
	{Name: "flatten", Group: "lists", Signature: "flatten(list)", Doc: "The elements of lists in the list, in one.", Example: `flatten([["a"], ["b", ["c"]]])`, Yields: `["a","b","c"]`},
	{Name: "keys", Group: "lists", Signature: "keys(object)", Doc: "The names of its fields, sorted.", Example: `keys({ b = 1, a = 2 })`, Yields: `["a","b"]`},
	{Name: "length", Group: "lists", Signature: "length(v)", Doc: "How many elements or fields there are.", Example: `length(["a", "b"])`, Yields: `2`},
	{Name: "lookup", Group: "lists", Signature: "lookup(object, name, default)", Doc: "A field by name, else the default.", Example: `lookup({ a = 1 }, "b", 0)`, Yields: `0`},
	{Name: "merge", Group: "lists", Signature: "merge(object…)", Doc: "The fields of all objects; the last of a name wins.", Example: `merge({ a = 1 }, { a = 2, b = 3 })`, Yields: `{"a":2,"b":3}`},
	{Name: "reverse", Group: "lists", Signature: "reverse(list)", Doc: "The last element first.", Example: `reverse(["a", "b"])`, Yields: `["b","a"]`},
	{Name: "slice", Group: "lists", Signature: "slice(list, from, to)", Doc: "The elements from a place up to another.", Example: `slice(["a", "b", "c"], 0, 2)`, Yields: `["a","b"]`},
	{Name: "sort", Group: "lists", Signature: "sort(list)", Doc: "Texts in order.", Example: `sort(["b", "a"])`, Yields: `["a","b"]`},
	{Name: "toset", Group: "lists", Signature: "toset(list)", Doc: "Each element once, sorted: what for_each takes.", Example: `toset(["b", "a", "b"])`, Yields: `["a","b"]`},
	{Name: "values", Group: "lists", Signature: "values(object)", Doc: "The values, by sorted names.", Example: `values({ b = 1, a = 2 })`, Yields: `[2,1]`},
	{Name: "zipmap", Group: "lists", Signature: "zipmap(names, values)", Doc: "An object of two lists.", Example: `zipmap(["a", "b"], [1, 2])`, Yields: `{"a":1,"b":2}`},

	{Name: "abs", Group: "numbers", Signature: "abs(n)", Doc: "Without its sign.", Example: `abs(-2)`, Yields: `2`},
	{Name: "ceil", Group: "numbers", Signature: "ceil(n)", Doc: "The next whole number above.", Example: `ceil(1.2)`, Yields: `2`},
	{Name: "floor", Group: "numbers", Signature: "floor(n)", Doc: "The next whole number below.", Example: `floor(1.8)`, Yields: `1`},
	{Name: "max", Group: "numbers", Signature: "max(n…)", Doc: "The largest.", Example: `max(1, 3, 2)`, Yields: `3`},
	{Name: "min", Group: "numbers", Signature: "min(n…)", Doc: "The smallest.", Example: `min(3, 1, 2)`, Yields: `1`},

	{Name: "base64decode", Group: "formats", Signature: "base64decode(s)", Doc: "The text that base64 stands for.", Example: `base64decode("YWJj")`, Yields: `"abc"`},
	{Name: "base64encode", Group: "formats", Signature: "base64encode(s)", Doc: "The text's bytes as base64.", Example: `base64encode("abc")`, Yields: `"YWJj"`},
	{Name: "csvdecode", Group: "formats", Signature: "csvdecode(s)", Doc: "A list with an object for each line below the header.", Example: `csvdecode("a,b\n1,2")`, Yields: `[{"a":"1","b":"2"}]`},
	{Name: "jsondecode", Group: "formats", Signature: "jsondecode(s)", Doc: "The value of JSON.", Example: `jsondecode("[1, 2]")`, Yields: `[1,2]`},
	{Name: "jsonencode", Group: "formats", Signature: "jsonencode(v)", Doc: "The value as JSON.", Example: `jsonencode({ a = 1 })`, Yields: `"{\"a\":1}"`},
}
