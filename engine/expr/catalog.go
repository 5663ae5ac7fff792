package expr

import (
	"cmp"
	"slices"
)

// FunctionDoc tells people of a function that expressions can call.
type FunctionDoc struct {
	Name      string `json:"name"`
	Group     string `json:"group"`     // text, lists, numbers, time, formats, other
	Signature string `json:"signature"` // "trim(s, chars?)": a ? marks what may be left out
	Doc       string `json:"doc"`       // a sentence
	Example   string `json:"example"`   // an expression on nothing but literals …
	Yields    string `json:"yields"`    // … and its value as JSON; "" where it depends on the event
}

// Functions are all functions of expressions, by group and name.
func Functions() []FunctionDoc {
	all := slices.Clone(catalog)
	slices.SortStableFunc(all, func(a, b FunctionDoc) int {
		return cmp.Or(cmp.Compare(groupOrder(a.Group), groupOrder(b.Group)), cmp.Compare(a.Name, b.Name))
	})
	return all
}

func groupOrder(group string) int {
	return slices.Index([]string{"text", "lists", "numbers", "time", "formats", "other"}, group)
}

// usage is a hint at how a function is called, "" for a method.
func usage(name string) string {
	for i := range catalog {
		if catalog[i].Name == name {
			return "write " + catalog[i].Signature
		}
	}
	return ""
}

var catalog = []FunctionDoc{
	{"lower", "text", "lower(s)", "The text in small letters.", `lower('ANA')`, `"ana"`},
	{"upper", "text", "upper(s)", "The text in capital letters.", `upper('cl')`, `"CL"`},
	{"trim", "text", "trim(s, chars?)", "Without white space, or the given characters, at both ends.", `trim('  a ')`, `"a"`},
	{"trimPrefix", "text", "trimPrefix(s, prefix?)", "Without the prefix, if it is there.", `trimPrefix('v1.2', 'v')`, `"1.2"`},
	{"trimSuffix", "text", "trimSuffix(s, suffix?)", "Without the suffix, if it is there.", `trimSuffix('a.csv', '.csv')`, `"a"`},
	{"hasPrefix", "text", "hasPrefix(s, prefix)", "Whether the text begins so.", `hasPrefix('INV-7', 'INV-')`, `true`},
	{"hasSuffix", "text", "hasSuffix(s, suffix)", "Whether the text ends so.", `hasSuffix('a.csv', '.csv')`, `true`},
	{"indexOf", "text", "indexOf(s, part)", "Where the part first begins, in characters; -1: nowhere.", `indexOf('a-b-c', '-')`, `1`},
	{"lastIndexOf", "text", "lastIndexOf(s, part)", "Where the part last begins, in characters; -1: nowhere.", `lastIndexOf('a-b-c', '-')`, `3`},
	{"split", "text", "split(s, separator, most?)", "The parts between separators; at most so many.", `split('a,b', ',')`, `["a","b"]`},
	{"splitAfter", "text", "splitAfter(s, separator, most?)", "As split, each part with its separator.", `splitAfter('a,b', ',')`, `["a,","b"]`},
	{"join", "text", "join(list, separator?)", "The texts and numbers of a list as one text.", `join(['a', 'b'], '-')`, `"a-b"`},
	{"replace", "text", "replace(s, old, new, most?)", "Each old part replaced; at most so many.", `replace('1.234', '.', '')`, `"1234"`},
	{"regexReplace", "text", "regexReplace(s, pattern, with)", "Each match of a regular expression (RE2) replaced; $1 is its first group.", `regexReplace('a1b22', '[0-9]+', '#')`, `"a#b#"`},
	{"repeat", "text", "repeat(s, n)", "The text n times.", `repeat('ab', 2)`, `"abab"`},
	{"string", "text", "string(v)", "Any value but nil as text.", `string(42)`, `"42"`},
	{"slug", "text", "slug(s)", "Small letters, digits and dashes: fit for a URL or file name.", `slug('Ñandú & Co')`, `"nandu-co"`},
	{"mask", "text", "mask(s)", "Stars, but for the last four characters of a text of twelve or more.", `mask('4111111111111111')`, `"************1111"`},

	{"map", "lists", "map(list, predicate)", "What the predicate yields for each element.", `map([1, 2], # * 10)`, `[10,20]`},
	{"filter", "lists", "filter(list, predicate)", "The elements for which the predicate is true.", `filter([1, 2, 3], # > 1)`, `[2,3]`},
	{"find", "lists", "find(list, predicate)", "The first element for which the predicate is true, or nil.", `find([1, 2, 3], # > 1)`, `2`},
	{"findIndex", "lists", "findIndex(list, predicate)", "The place of that element, counted from 0, or nil.", `findIndex([1, 2, 3], # > 1)`, `1`},
	{"findLast", "lists", "findLast(list, predicate)", "The last element for which the predicate is true, or nil.", `findLast([1, 2, 3], # > 1)`, `3`},
	{"findLastIndex", "lists", "findLastIndex(list, predicate)", "The place of that element, counted from 0, or nil.", `findLastIndex([1, 2, 3], # > 1)`, `2`},
	{"all", "lists", "all(list, predicate)", "Whether the predicate is true for every element.", `all([1, 2], # > 0)`, `true`},
	{"any", "lists", "any(list, predicate)", "Whether it is true for at least one.", `any([1, 2], # > 1)`, `true`},
	{"one", "lists", "one(list, predicate)", "Whether it is true for exactly one.", `one([1, 2], # > 1)`, `true`},
	{"none", "lists", "none(list, predicate)", "Whether it is true for none.", `none([1, 2], # > 2)`, `true`},
	{"count", "lists", "count(list, predicate?)", "How many elements there are for which it is true.", `count([1, 2, 3], # > 1)`, `2`},
	{"sum", "lists", "sum(list, predicate?)", "The sum of the elements, or of what the predicate yields for each.", `sum([{qty: 2}, {qty: 3}], .qty)`, `5`},
	{"reduce", "lists", "reduce(list, predicate, first?)", "One value of all elements: the predicate sees #acc, the value so far.", `reduce([1, 2, 3], #acc + #, 0)`, `6`},
	{"groupBy", "lists", "groupBy(list, predicate)", "An object with a list of elements for each value of the predicate.", `groupBy([{c: 'x', n: 1}], .c)`, `{"x":[{"c":"x","n":1}]}`},
	{"sortBy", "lists", "sortBy(list, predicate, order?)", "Sorted by what the predicate yields; order is 'asc' or 'desc'.", `sortBy([3, 1, 2], #, 'desc')`, `[3,2,1]`},
	{"sort", "lists", "sort(list, order?)", "Sorted; order is 'asc' or 'desc'.", `sort([3, 1, 2])`, `[1,2,3]`},
	{"reverse", "lists", "reverse(list)", "The last element first.", `reverse([1, 2])`, `[2,1]`},
	{"uniq", "lists", "uniq(list)", "Each element once.", `uniq([1, 2, 1])`, `[1,2]`},
	{"concat", "lists", "concat(list, …)", "The elements of all lists in one.", `concat([1], [2, 3])`, `[1,2,3]`},
	{"flatten", "lists", "flatten(list)", "The elements of lists in the list, in one.", `flatten([1, [2, [3]]])`, `[1,2,3]`},
	{"first", "lists", "first(list)", "The first element, or nil.", `first([1, 2])`, `1`},
	{"last", "lists", "last(list)", "The last element, or nil.", `last([1, 2])`, `2`},
	{"take", "lists", "take(list, n)", "The first n elements.", `take([1, 2, 3], 2)`, `[1,2]`},
	{"get", "lists", "get(v, key)", "An element by place, or a field by name; nil where there is none.", `get({a: 1}, 'a')`, `1`},
	{"len", "lists", "len(v)", "How many elements, fields or characters there are.", `len([1, 2])`, `2`},
	{"keys", "lists", "keys(object)", "The names of the fields, sorted.", `keys({b: 1, a: 2})`, `["a","b"]`},
	{"values", "lists", "values(object)", "The values, by sorted names.", `values({b: 1, a: 2})`, `[2,1]`},
	{"toPairs", "lists", "toPairs(object)", "A list of [name, value], by sorted names.", `toPairs({a: 1})`, `[["a",1]]`},
	{"fromPairs", "lists", "fromPairs(list)", "The object of a list of [name, value].", `fromPairs([['a', 1]])`, `{"a":1}`},

	{"abs", "numbers", "abs(n)", "Without its sign.", `abs(-2)`, `2`},
	{"ceil", "numbers", "ceil(n)", "The next whole number above.", `ceil(1.2)`, `2`},
	{"floor", "numbers", "floor(n)", "The next whole number below.", `floor(1.8)`, `1`},
	{"round", "numbers", "round(n)", "The nearest whole number; halves go away from zero.", `round(1.5)`, `2`},
	{"int", "numbers", "int(v)", "A whole number of a number, whose fraction is cut off, or of text.", `int('42')`, `42`},
	{"float", "numbers", "float(v)", "A fraction of a number or of text.", `float('1.5')`, `1.5`},
	{"number", "numbers", "number(v)", "A number of text, whole where it can be.", `number('42')`, `42`},
	{"min", "numbers", "min(n, …)", "The smallest of numbers, or of lists of such.", `min(3, [1, 2])`, `1`},
	{"max", "numbers", "max(n, …)", "The largest of numbers, or of lists of such.", `max(3, [1, 2])`, `3`},
	{"mean", "numbers", "mean(n, …)", "Their mean.", `mean([1, 2])`, `1.5`},
	{"median", "numbers", "median(n, …)", "Their median.", `median([3, 1, 2])`, `2`},
	{"bitand", "numbers", "bitand(a, b)", "The bits that both have.", `bitand(6, 3)`, `2`},
	{"bitor", "numbers", "bitor(a, b)", "The bits that either has.", `bitor(6, 3)`, `7`},
	{"bitxor", "numbers", "bitxor(a, b)", "The bits that one of them has.", `bitxor(6, 3)`, `5`},
	{"bitnand", "numbers", "bitnand(a, b)", "The bits of a that b has not.", `bitnand(6, 3)`, `4`},
	{"bitnot", "numbers", "bitnot(n)", "All bits the other way round.", `bitnot(0)`, `-1`},
	{"bitshl", "numbers", "bitshl(n, by)", "Bits moved to the left.", `bitshl(1, 4)`, `16`},
	{"bitshr", "numbers", "bitshr(n, by)", "Bits moved to the right, keeping the sign.", `bitshr(16, 4)`, `1`},
	{"bitushr", "numbers", "bitushr(n, by)", "Bits moved to the right, with zeros from the left.", `bitushr(16, 4)`, `1`},

	{"now", "time", "now(zone?)", "When the event was accepted.", `now()`, ``},
	{"date", "time", "date(s, layout?, zone?)", "A time of text: RFC 3339 and other usual forms, or a layout of Go's.", `date('03/02/2026', '02/01/2006')`, `"2026-02-03T00:00:00Z"`},
	{"duration", "time", "duration(s)", "A length of time, to add to one.", `date('2026-02-03T00:00:00Z') + duration('36h')`, `"2026-02-04T12:00:00Z"`},
	{"timezone", "time", "timezone(name)", "A time zone of the IANA database.", `date('2026-07-01T12:00:00Z').In(timezone('Europe/Berlin'))`, `"2026-07-01T14:00:00+02:00"`},
	{"formatTime", "time", "formatTime(t, layout, zone?)", "A time, or text that is one, in a layout of Go's.", `formatTime('2026-02-03T04:05:06Z', '2006-01-02', 'UTC')`, `"2026-02-03"`},

	{"toJSON", "formats", "toJSON(v)", "Any value as JSON on one line, fields sorted.", `toJSON({b: 1, a: 2})`, `"{\"a\":2,\"b\":1}"`},
	{"fromJSON", "formats", "fromJSON(s)", "The value of JSON.", `fromJSON('[1, 2]')`, `[1,2]`},
	{"parseCSV", "formats", "parseCSV(s, delimiter?)", "A list with an object for each line below the header (RFC 4180).", `parseCSV('a,b\n1,2')`, `[{"a":"1","b":"2"}]`},
	{"parseXML", "formats", "parseXML(s)", "The object of XML, as an XML body is read.", `parseXML('<o><id>7</id></o>').o.id`, `"7"`},
	{"toBase64", "formats", "toBase64(s)", "The text's bytes as base64.", `toBase64('abc')`, `"YWJj"`},
	{"fromBase64", "formats", "fromBase64(s)", "The text that base64 stands for.", `fromBase64('YWJj')`, `"abc"`},
	{"hex", "formats", "hex(s)", "The text's bytes in hexadecimal.", `hex('abc')`, `"616263"`},
	{"urlEncode", "formats", "urlEncode(s)", "Escaped for the query of a URL.", `urlEncode('a b&c')`, `"a%20b%26c"`},
	{"deeplink", "formats", "deeplink(url, params)", "The URL with an object's fields as its query.", `deeplink('https://x.example/o', {id: 7})`, `"https://x.example/o?id=7"`},

	{"uuid", "other", "uuid()", "A UUID that is the same for every attempt of a delivery.", `uuid()`, ``},
	{"sha256", "other", "sha256(s)", "The SHA-256 of the text, in hexadecimal; secret.NAME may be an argument.", `sha256('')`, `"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"`},
	{"hmacSha256", "other", "hmacSha256(key, s)", "The HMAC-SHA-256 of the text, in hexadecimal; secret.NAME may be the key.", `hmacSha256('k', 's')`, `"a754f4059b0a4c0a4abf6568ea186538b7f2dc236ba3cdfd92492e37f066fe8d"`},
	{"table", "other", "table(name, key)", "The row of a table with that key, or nil; the name is a literal.", `table('countries', 'cl').name`, ``},
	{"type", "other", "type(v)", "What the value is: nil, bool, int, float, string, array, map.", `type([])`, `"array"`},
}
