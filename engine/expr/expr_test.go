package expr

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/syncd/syncd/engine/row"
)

var accepted = time.Date(2026, 3, 1, 12, 30, 0, 0, time.UTC)

// sample is the event that most tests run on.
func sample() *Input {
	return &Input{
		Body: map[string]any{
			"id": int64(1042), "name": "Ana", "total": 99.5, "big": json.Number("18446744073709551616"),
			"max": int64(1<<63 - 1), "paid": true, "note": nil, "email": "ANA@EXAMPLE.COM", "text": "Ñandú ñ",
			"customer": map[string]any{"email": "Ana@Example.com", "tags": []any{"a", "b"}},
			"items": []any{
				map[string]any{"sku": "A-1", "qty": int64(2), "price": 10.5},
				map[string]any{"sku": "B-2", "qty": int64(1), "price": int64(4)},
			},
			"numbers": []any{int64(3), int64(1), int64(2)},
			"when":    "2026-02-03T04:05:06Z",
		},
		Meta: map[string]any{
			"header":  map[string]any{"x-id": "7", "content-type": "application/json"},
			"headers": map[string]any{"x-id": []any{"7", "8"}},
			"mail":    map[string]any{"header": map[string]any{"x-shop": "acme"}, "headers": map[string]any{"x-shop": []any{"acme"}}},
			"method":  "POST",
		},
		Event:  Event{ID: "ev1", Source: "source.webhook.shop", Key: "k", Time: accepted},
		Vars:   map[string]any{"customer": map[string]any{"vip": true}},
		Parent: map[string]any{"order": int64(9)},
		Seed:   "ev1/0",
	}
}

func sampleScope() *Scope {
	return &Scope{
		Names: []string{"body", "event", "meta", "parent", "vars"},
		Var:   map[string]any{"site": "scl", "limit": 5, "sites": []string{"scl", "lim"}},
		Local: map[string]any{"tag": "acme-scl"}, Sensitive: []string{"var.token", "local.pw"},
		Secrets: map[string]string{"partner": "s3cret"},
		Tables:  map[string]*Table{"skus": NewTable(map[string]map[string]any{"A-1": {"name": "Lamp"}})},
	}
}

func evalText(t testing.TB, text string) (any, error) {
	t.Helper()
	e, err := Compile(Source{Text: text}, sampleScope())
	if err != nil {
		return nil, err
	}
	v, err := e.Eval(sample())
	sameOfRow(t, text, e, v, err)
	return v, err
}

// sameOfRow holds a body that is a row, with meta still to be read, to the result that
// an object gives.
func sameOfRow(t testing.TB, text string, e Expr, want any, wantErr error) {
	t.Helper()
	in := sample()
	body := in.Body.(map[string]any)
	names := slices.Sorted(maps.Keys(body))
	r := &row.Row{Shape: row.NewShape(names)}
	for _, name := range names {
		r.Values = append(r.Values, body[name])
	}
	in.Body, in.Meta, in.Kept = r, nil, keptMeta{in.Meta, nil}
	got, err := e.Eval(in)
	if fmt.Sprint(err) != fmt.Sprint(wantErr) {
		t.Errorf("%s of a row: error %v, want %v", text, err, wantErr)
	}
	if d := cmp.Diff(want, got, cmpopts.EquateNaNs()); d != "" {
		t.Errorf("%s of a row: (-want +got)\n%s", text, d)
	}
}

type keptMeta struct {
	value map[string]any
	err   error
}

func (k keptMeta) Meta() (map[string]any, error) { return k.value, k.err }

// A field's place is that of its shape, whatever shapes come one after the other.
func TestRowsOfSeveralShapes(t *testing.T) {
	e, err := Compile(Source{Text: "body.a"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, names := range [][]string{{"a", "b"}, {"b", "a"}, {"b", "c"}} {
			r := &row.Row{Shape: row.NewShape(names), Values: []any{names[0], names[1]}}
			want := any("a")
			if names[1] == "c" {
				want = nil
			}
			if got, err := e.Eval(&Input{Body: r}); err != nil || got != want {
				t.Errorf("body.a of %v is %v, %v", names, got, err)
			}
		}
	}
}

func TestBodyOfAnObjectIsARow(t *testing.T) {
	one := Expr{fixed{constant: constant{int64(1)}}}
	e := Object([]Field{{"b", one}, {"a", Object([]Field{{"c", one}})}})
	v, err := e.Body(&Input{})
	r, ok := v.(*row.Row)
	if err != nil || !ok {
		t.Fatal(v, err)
	}
	if d := cmp.Diff(map[string]any{"b": int64(1), "a": map[string]any{"c": int64(1)}}, r.Map()); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestMetaThatCannotBeRead(t *testing.T) {
	e, err := Compile(Source{Text: "meta.row"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Eval(&Input{Kept: keptMeta{nil, errors.New("it is torn")}}); err == nil || !strings.Contains(err.Error(), "meta cannot be read: it is torn") {
		t.Errorf("error: %v", err)
	}
}

func TestEval(t *testing.T) {
	list := func(v ...any) []any { return append([]any{}, v...) }
	for _, c := range []struct {
		text string
		want any
	}{
		// Names and members.
		{`body.id`, int64(1042)},
		{`body.customer.email`, "Ana@Example.com"},
		{`body.a.b.c`, nil},
		{`body.a[0]`, nil},
		{`body?.a?.b`, nil},
		{`body["name"]`, "Ana"},
		{`body['na' + 'me']`, "Ana"},
		{`body.items[0].sku`, "A-1"},
		{`body.items[-1].sku`, "B-2"},
		{`body.items[0:1][0].qty`, int64(2)},
		{`body.name[1:]`, "na"},
		{`body.text[0:1]`, "Ñ"},
		{`body.text[-1:]`, "ñ"},
		{`meta.header["X-Id"]`, "7"},
		{`meta.header["X-" + "ID"]`, "7"},
		{`meta.headers["X-ID"]`, list("7", "8")},
		{`let h = meta.header; h["X-ID"]`, "7"},
		{`get(meta.header, "X-Id")`, "7"},
		{`"X-Id" in meta.header`, true},
		{`meta.mail.header["X-Shop"] + meta.mail?.headers["X-SHOP"][0]`, "acmeacme"},
		{`meta.method`, "POST"},
		{`event.id + event.source + event.key`, "ev1source.webhook.shopk"},
		{`event["id"]`, "ev1"},
		{`event.time == now()`, true},
		{`keys(event)`, list("id", "key", "source", "time")},
		{`vars.customer.vip`, true},
		{`parent.order`, int64(9)},
		{`var.site + local.tag`, "sclacme-scl"},
		{`var.limit + 1`, int64(6)},
		{`"lim" in var.sites`, true},

		// Numbers.
		{`1 + 2`, int64(3)},
		{`1 + 2.5`, 3.5},
		{`7 / 2`, 3.5},
		{`7 % 4`, int64(3)},
		{`-7 % 4`, int64(-3)},
		{`2 ** 10`, int64(1024)},
		{`2 ** -1`, 0.5},
		{`2 ^ 3 ^ 2`, int64(512)},
		{`-body.id`, int64(-1042)},
		{`body.max - 1`, int64(1<<63 - 2)},
		{`body.max == 9223372036854775807`, true},
		{`9007199254740993 == 9007199254740992.0`, false},
		{`9007199254740993 > 9007199254740992.0`, true},
		{`1 == 1.0`, true},
		{`body.big`, json.Number("18446744073709551616")},
		{`body.big == body.big`, true},
		{`body.big == 5`, false},
		{`string(body.big)`, "18446744073709551616"},
		{`1..3`, list(int64(1), int64(2), int64(3))},
		{`3..1`, list()},
		{`int("42") + int(3.9)`, int64(45)},
		{`float("1.5")`, 1.5},
		{`number(" 12 ")`, int64(12)},
		{`number("1e3")`, 1000.0},
		{`number("18446744073709551616")`, json.Number("18446744073709551616")},
		{`number(5)`, int64(5)},
		{`round(2.5)`, 3.0},
		{`round(body.max)`, int64(1<<63 - 1)},
		{`abs(-3)`, int64(3)},
		{`ceil(1.2) + floor(1.8)`, 3.0},
		{`max(1, 2.5, [7, [8]])`, int64(8)},
		{`min(body.numbers)`, int64(1)},
		{`max([])`, nil},
		{`mean([1, 2, 3.0])`, 2.0},
		{`median([4, 1, 3, 2])`, 2.5},
		{`bitand(6, 3) + bitor(6, 3) + bitxor(6, 3)`, int64(2 + 7 + 5)},
		{`bitshl(1, 4) + bitshr(16, 2) + bitnot(0)`, int64(16 + 4 - 1)},

		// Comparisons and logic.
		{`body.missing == nil`, true},
		{`body.missing != 5`, true},
		{`nil in [1, nil]`, true},
		{`1 in nil`, false},
		{`body.name in ['Ana', 'Bob']`, true},
		{`body.name not in ['Ana', 'Bob']`, false},
		{`2 in body.numbers`, true},
		{`2.0 in body.numbers`, true},
		{`'name' in body`, true},
		{`body.items == body.items`, true},
		{`{a: [1, 2.0]} == {a: [1.0, 2]}`, true},
		{`[1] == [1, 2]`, false},
		{`'a' < 'b'`, true},
		{`1 < 2 < 3`, true},
		{`event.time >= date('2026-01-01')`, true},
		{`true and not false or false`, true},
		{`false && body.missing`, false},
		{`body.note ?? 'none'`, "none"},
		{`(body.missing ?? 0) + 1`, int64(1)},
		{`body.paid ? 'yes' : 'no'`, "yes"},
		{`if body.paid { 1 } else { 2 }`, int64(1)},
		{`body.name contains 'n' and body.name startsWith 'A' and body.name endsWith 'a'`, true},
		{`body.missing contains 'n'`, false},
		{`body.name matches '^[A-Z]n'`, true},
		{`body.name matches 'x' + 'y'`, false},
		{`body.missing matches 'x'`, false},

		// Loops.
		{`sum(body.items, .qty * .price)`, 25.0},
		{`sum(body.numbers)`, int64(6)},
		{`sum([])`, int64(0)},
		{`map(body.items, .sku)`, list("A-1", "B-2")},
		{`map(body.items, {{s: .sku}})`, list(map[string]any{"s": "A-1"}, map[string]any{"s": "B-2"})},
		{`map(body.numbers, # * 2 + #index)`, list(int64(6), int64(3), int64(6))},
		{`filter(body.items, .price > 5) | map(.sku)`, list("A-1")},
		{`body.items | filter(.qty == 1) | len()`, int64(1)},
		{`all(body.items, .qty > 0)`, true},
		{`any(body.items, .qty > 5)`, false},
		{`none(body.items, .qty > 5)`, true},
		{`one(body.items, .qty == 2)`, true},
		{`count(body.items, .qty == 2)`, int64(1)},
		{`count([true, false, true])`, int64(2)},
		{`find(body.items, .qty == 1).sku`, "B-2"},
		{`find(body.items, .qty == 9)`, nil},
		{`findIndex(body.numbers, # == 1)`, int64(1)},
		{`findLast(body.numbers, # > 1)`, int64(2)},
		{`findLastIndex(body.numbers, # > 2)`, int64(0)},
		{`groupBy(body.items, .qty)`, map[string]any{
			"2": list(map[string]any{"sku": "A-1", "qty": int64(2), "price": 10.5}),
			"1": list(map[string]any{"sku": "B-2", "qty": int64(1), "price": int64(4)}),
		}},
		{`map(sortBy(body.items, .price), .sku)`, list("B-2", "A-1")},
		{`map(sortBy(body.items, .price, 'desc'), .sku)`, list("A-1", "B-2")},
		{`reduce(body.numbers, #acc + #, 10)`, int64(16)},
		{`reduce(body.numbers, #acc * #)`, int64(6)},
		{`map([1, 2], map([10, 20], # + 1))`, list(list(int64(11), int64(21)), list(int64(11), int64(21)))},
		{`let x = body.id; let y = x + 1; y * 2`, int64(2086)},

		// Lists and objects.
		{`len(body.text)`, int64(7)},
		{`len(body.items) + len(body.customer)`, int64(4)},
		{`first(body.numbers)`, int64(3)},
		{`last(body.numbers)`, int64(2)},
		{`first([])`, nil},
		{`get(body.items, 7)`, nil},
		{`get(nil, 'a')`, nil},
		{`take(body.numbers, 2)`, list(int64(3), int64(1))},
		{`take(body.numbers, 9)`, list(int64(3), int64(1), int64(2))},
		{`keys({b: 1, a: 2})`, list("a", "b")},
		{`values({b: 1, a: 2})`, list(int64(2), int64(1))},
		{`toPairs({b: 1, a: 2})`, list(list("a", int64(2)), list("b", int64(1)))},
		{`fromPairs([['a', 1], [2, nil]])`, map[string]any{"a": int64(1), "2": nil}},
		{`reverse(body.numbers)`, list(int64(2), int64(1), int64(3))},
		{`sort(body.numbers)`, list(int64(1), int64(2), int64(3))},
		{`sort(body.numbers, 'desc')`, list(int64(3), int64(2), int64(1))},
		{`uniq([1, 1.0, 'a', [2], [2.0], nil, nil])`, list(int64(1), "a", list(int64(2)), nil)},
		{`concat([1], [2, 3])`, list(int64(1), int64(2), int64(3))},
		{`flatten([1, [2, [3]]])`, list(int64(1), int64(2), int64(3))},
		{`{(body.name): 1, "a b": 2, 3: 4}`, map[string]any{"Ana": int64(1), "a b": int64(2), "3": int64(4)}},

		// Text.
		{`lower(body.email)`, "ana@example.com"},
		{`upper('ñ')`, "Ñ"},
		{`trim(' a ') + trim('xax', 'x')`, "aa"},
		{`trimPrefix('ab', 'a') + trimSuffix('ab', 'b')`, "ba"},
		{`split('a,b,c', ',')`, list("a", "b", "c")},
		{`split('a,b,c', ',', 2)`, list("a", "b,c")},
		{`splitAfter('a,b', ',')`, list("a,", "b")},
		{`replace('aaa', 'a', 'b')`, "bbb"},
		{`replace('aaa', 'a', 'b', 2)`, "bba"},
		{`repeat('ab', 3)`, "ababab"},
		{`join(['a', 1, true], '-')`, "a-1-true"},
		{`indexOf(body.text, 'ñ')`, int64(6)},
		{`lastIndexOf('abab', 'b')`, int64(3)},
		{`indexOf('abc', 'x')`, int64(-1)},
		{`hasPrefix('abc', 'a') and hasSuffix('abc', 'c')`, true},
		{`string(1.0) + string(1e21) + string(true)`, "11e+21true"},
		{`string(body.numbers)`, "[3,1,2]"},
		{`type(1) + type('') + type([]) + type({}) + type(nil) + type(1.5)`, "intstringarraymapnilfloat"},
		{`toBase64('añ')`, "YcOx"},
		{`fromBase64('YcOx')`, "añ"},
		{`hex('az')`, "617a"},
		{`sha256('')`, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{`hmacSha256('key', 'The quick brown fox jumps over the lazy dog')`, "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"},
		{`hmacSha256(secret.partner, 'x') == hmacSha256('s3cret', 'x')`, true},
		{`regexReplace('a1b22', '[0-9]+', '#')`, "a#b#"},
		{`regexReplace('john smith', '(\\w+) (\\w+)', '$2 $1')`, "smith john"},
		{`slug('  Crème Brûlée & Straße! ')`, "creme-brulee-strasse"},
		{`slug("Ana's Søren")`, "anas-soren"},
		{`mask('4111111111111111')`, "************1111"},
		{`mask('secret')`, "******"},
		{`urlEncode('a b/ñ?&')`, "a%20b%2F%C3%B1%3F%26"},
		{`deeplink('https://x.example/a?z=1#f', {q: 'a b', n: 5, l: [1, 2]})`, "https://x.example/a?z=1&l=1&l=2&n=5&q=a%20b#f"},

		// Times.
		{`now()`, accepted},
		{`formatTime(event.time, '2006-01-02 15:04', 'America/Santiago')`, "2026-03-01 09:30"},
		{`formatTime(body.when, '2006', 'UTC')`, "2026"},
		{`date('2026-01-02').Year() + date('2026-01-02').Month()`, int64(2027)},
		{`date('02/01/2026 10', '02/01/2006 15', 'Europe/Berlin').UTC().Format('15:04')`, "09:00"},
		{`now() - duration('1h') < now()`, true},
		{`now() - date('2026-03-01')`, "12h30m0s"},
		{`(now() - date('2026-03-01')).Hours()`, 12.5},
		{`[duration('90m') * 2, timezone('UTC')]`, list("3h0m0s", "UTC")},
		{`event.time.In(timezone('Asia/Tokyo')).Hour()`, int64(21)},

		// Formats.
		{`toJSON({b: [1, 2.5, nil, true], a: '<&>"\n\u2028'})`, `{"a":"<&>\"\n\u2028","b":[1,2.5,null,true]}`},
		{`fromJSON('{"a": [9223372036854775807, 18446744073709551616, 1.0, null]}')`,
			map[string]any{"a": list(int64(1<<63-1), json.Number("18446744073709551616"), 1.0, nil)}},
		{`parseCSV("a,b\n1,\"x,y\"\n2\n")`, list(map[string]any{"a": "1", "b": "x,y"}, map[string]any{"a": "2", "b": nil})},
		{`parseXML('<o id="1"><l>a</l><l>b</l><e/></o>')`, map[string]any{"o": map[string]any{"@id": "1", "l": list("a", "b"), "e": ""}}},
	} {
		got, err := evalText(t, c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
		} else if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: (-want +got)\n%s", c.text, d)
		}
	}
}

func TestFailures(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`body.total + body.fee`, "1:14: body.fee is nil: write body.total + (body.fee ?? 0)"},
		{`body.fee > 100`, "1:1: body.fee is nil: write (body.fee ?? 0) > 100"},
		{`lower(body.mail)`, "1:7: body.mail is nil: write lower(body.mail ?? '')"},
		{`'Hello ' + body.nick`, "1:12: body.nick is nil: write 'Hello ' + (body.nick ?? '')"},
		{`map(body.lines, .sku)`, "1:5: body.lines is nil: write map(body.lines ?? [], .sku)"},
		{`sum(body.items, .discount)`, "1:17: .discount is nil: write .discount ?? 0"},
		{`map(body.items, .discount * 2)`, "1:17: .discount is nil: write (.discount ?? 0) * 2"},
		{`not body.open`, "1:5: body.open is nil: write not (body.open ?? false)"},
		{`body.name.first`, "1:1: body.name is text: it has no field first"},
		{`body.items.sku`, "1:1: body.items is a list: it has no field sku: write map(body.items, .sku) for all of them, or first(body.items).sku"},
		{`body.items[5].sku`, "1:1: body.items has 2 elements: there is no [5]: write get(body.items, 5) to get nil instead"},
		{`body.name[0]`, "1:1: body.name is text: it has no elements: write body.name[0:1] for a part of it"},
		{`body.max + 1`, "1:1: body.max + 1 goes beyond 64 bits"},
		{`-body.max - 2`, "1:1: -body.max - 2 goes beyond 64 bits"},
		{`body.max * 2`, "1:1: body.max * 2 goes beyond 64 bits"},
		{`body.max ** 2`, "1:1: body.max ** 2 goes beyond 64 bits"},
		{`sum([body.max, 1])`, "1:1: sum([body.max, 1]) goes beyond 64 bits"},
		{`let z = 0 * body.id; body.id / z`, "1:22: body.id / z divides by zero"},
		{`let z = 0 * body.id; body.id % z`, "1:22: body.id % z divides by zero"},
		{`1e308 * body.id`, "1:1: 1e308 * body.id is not a finite number"},
		{`body.big + 1`, "1:1: body.big is a whole number beyond 64 bits: it can be passed on, but not calculated with"},
		{`body.big > 1`, "1:1: body.big is a whole number beyond 64 bits: it can be passed on, but not calculated with"},
		{`body.name + body.id`, "1:13: + beside text needs text, but body.id is a number: write string(body.id)"},
		{`body.name * 2`, "1:1: * needs a number, but body.name is text: write number(body.name)"},
		{`body.name > 2`, "1:1: > needs a number, but body.name is text: write number(body.name)"},
		{`body.name and true`, "1:1: and needs true or false, but body.name is text"},
		{`int('abc')`, `1:1: int: "abc" is not a whole number`},
		{`fromJSON('{"a":')`, `1:1: fromJSON: '{"a":' is not JSON: at byte 5: unexpected EOF`},
		{`date('yesterday')`, `1:1: date: "yesterday" is not a date`},
		{`sort([1, 'a'])`, "1:1: sorting needs values of one kind, but here text meets a number"},
		{`reduce([], #acc)`, "1:1: [] is empty: there is nothing to reduce: give reduce a first value as its third argument"},
		{`body.name in body.name`, "1:1: in looks into a list or an object, but body.name is text: write body.name contains …"},
		{`'ñ' + body.nick`, "1:7: body.nick is nil: write 'ñ' + (body.nick ?? '')"},
		{"body.id +\n  body.nick", "2:3: body.nick is nil: write body.id + (body.nick ?? 0)"},
	} {
		_, err := evalText(t, c.text)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	for _, c := range []struct {
		text       string
		from, size int
		want       string
	}{
		{`boddy.total > 0`, 0, 5, `"boddy" is not something an expression can see here: body, event, local, meta, parent, secret, var, vars: did you mean "body"?`},
		{`lowr(body.name)`, 0, 4, `there is no function lowr: did you mean "lower"?`},
		{`'ñ' + lowr(body.name)`, 7, 4, `there is no function lowr: did you mean "lower"?`},
		{`lower(5)`, 6, 1, `lower needs text, but 5 is a number: write '5'`},
		{`lower(nil)`, 6, 3, `lower needs text, not nil`},
		{`lower()`, 0, 7, `lower takes 1 argument, not 0: write lower(s)`},
		{`split('a')`, 0, 10, `split takes 2 to 3 arguments, not 1: write split(s, separator, most?)`},
		{`5 + 'a'`, 0, 7, `+ needs two numbers or two texts: write string(…) to join texts, number(…) to add numbers`},
		{`5 == 'a'`, 0, 8, `this compares a number with text, which are never equal`},
		{`var.sit`, 4, 3, `there is no var.sit: did you mean "site"?`},
		{`var.token`, 0, 9, `var.token is sensitive: an expression may not see it: for a signature, declare it as a secret and write secret.NAME in sha256(…) or hmacSha256(…)`},
		{`secret.partner`, 0, 14, `secret.partner can only be an argument of sha256(…) or hmacSha256(…)`},
		{`lower(secret.partner)`, 6, 14, `secret.partner can only be an argument of sha256(…) or hmacSha256(…)`},
		{`sha256(secret.partner + 'x')`, 7, 14, `secret.partner can only be an argument of sha256(…) or hmacSha256(…)`},
		{`sha256(secret.partnr)`, 14, 6, `there is no secret.partnr: did you mean "partner"?`},
		{`event.tme`, 6, 3, `an event has no tme: only id, key, source, time: did you mean "time"?`},
		{`record.id`, 0, 6, `"record" is not something an expression can see here: body, event, local, meta, parent, secret, var, vars`},
		{`# + 1`, 0, 1, `unexpected #`},
		{`map(body.items, #acc)`, 16, 1, `#acc has a meaning only directly in the predicate of reduce`},
		{`body.a = 1`, 7, 1, `unexpected =: write == to compare`},
		{`map(body.items, {sku: .sku})`, 20, 1, `unexpected :: an object in a predicate takes double braces: map(body.items, {{sku: .sku}})`},
		{`body.total > 5 AND body.a`, 15, 3, `unexpected AND: write and`},
		{`body.a is nil`, 7, 2, `unexpected is: write == to compare, == nil where nothing is there`},
		{`body.a == null`, 10, 4, `"null" is not something an expression can see here: body, event, local, meta, parent, secret, var, vars: write nil`},
		{`body.country in [CL]`, 17, 2, `"CL" is not something an expression can see here: body, event, local, meta, parent, secret, var, vars: for the text itself, write 'CL'`},
		{`body.total >`, 11, 1, `the expression ends too early`},
		{``, 0, 1, `the expression is empty`},
		{"body.x + '\n'", 10, 1, `a text is opened here and never closed: a line break in a text is written \n, which within the quotes of an attribute is "\\n"`},
		{`'abc`, 4, 1, `a text is opened here and never closed: end it with the quote that it starts with`},
		{`Hello {{ body.name }}!`, 6, 2, `this is an expression: write 'Hello ' + body.name + '!'`},
		{`{{ body.name }}`, 0, 2, `this is an expression: write body.name`},
		{`body.name matches '('`, 18, 3, "'(' is no pattern: missing closing ): `(`"},
		{`formatTime(event.time, '2006', 'Mars/Base')`, 31, 11, `"Mars/Base" is not a time zone: write one such as 'UTC' or 'Europe/Berlin'`},
		{`body.name.lower()`, 10, 5, `there is no method lower: write lower(body.name)`},
		{`tabulate('countries', 'CL')`, 0, 8, `there is no function tabulate`},
		{`b'abc'`, 0, 6, `text of bytes is not among the values of an event: write it without the b`},
		{`lower`, 0, 5, `"lower" is not something an expression can see here: body, event, local, meta, parent, secret, var, vars: to call the function, write lower(…)`},
		{`lower(body.id + 1)`, 6, 11, `lower needs text, but body.id + 1 is a number: write string(body.id + 1)`},
		{`upper('a', 'b')`, 0, 15, `upper takes 1 argument, not 2: write upper(s)`},
		{`max()`, 0, 5, `max takes at least 1 argument, not 0: write max(n, …)`},
		{`abs('5')`, 4, 3, `abs needs a number, but '5' is text: write 5 without quotes`},
		{`abs(lower(body.name))`, 4, 16, `abs needs a number, but lower(body.name) is text: write number(lower(body.name))`},
		{`not 5`, 4, 1, `not needs true or false, but 5 is a number: compare it with something`},
		{`len(5)`, 4, 1, `len needs text, a list or an object, but 5 is a number`},
		{`'a' < 5`, 0, 7, `< cannot order text and a number`},
		{`-'a'`, 1, 3, `- needs a number, but 'a' is text`},
		{`[1] + [2]`, 0, 9, `+ does not join lists: write concat([1], [2])`},
		{`split(body.name, ' ').first`, 0, 27, `split(body.name, ' ') is a list: it has no field first: write map(split(body.name, ' '), .first) for all of them, or first(split(body.name, ' ')).first`},
		{`'abc'.x`, 0, 7, `'abc' is text: it has no field x`},
		{`body.a == 'x' or 'y'`, 17, 3, `or needs true or false, but 'y' is text: write body.a in ['x', 'y']`},
		{`1 / 0`, 0, 5, `this divides by zero`},
		{`body.total / 0`, 0, 14, `this divides by zero`},
		{`body.total % 0.0`, 0, 16, `this divides by zero`},
		{`9223372036854775807 + 1`, 0, 23, `9223372036854775807 + 1 goes beyond 64 bits`},
		{`99999999999999999999`, 19, 1, `this number goes beyond 64 bits`},
		{`var.limit / (5 - 5)`, 0, 18, `this divides by zero`},
		{`date('yesterday')`, 0, 17, `date: "yesterday" is not a date`},
		{`event.time + duration('5 min')`, 13, 17, `duration: "5 min" is not a duration such as '1h30m'`},
		{`fromJSON('{')`, 0, 13, `fromJSON: '{' is not JSON: at byte 1: unexpected EOF`},
		{`formatTime(event.time, 'YYYY-MM-DD')`, 23, 12, `the layout 'YYYY-MM-DD' names no part of a time: write '2006-01-02'`},
		{`date(body.d, '%d.%m.%Y')`, 13, 10, `the layout '%d.%m.%Y' names no part of a time: write '02.01.2006'`},
		{`formatTime(event.time, 'iso')`, 23, 5, `the layout 'iso' names no part of a time: Go's layouts show the moment 2006-01-02 15:04:05`},
		{`{{ body.total }} > 5`, 0, 2, `this is an expression: write body.total > 5`},
		{`body.items[0`, 10, 1, `this [ is never closed`},
		{`lower(body.x`, 5, 1, `this ( is never closed`},
		{`body.x) == 5`, 6, 1, `this ) closes nothing`},
		{`body.x === 5`, 7, 3, `there is no operator ===: write ==`},
		{`body.x <> 5`, 7, 2, `there is no operator <>: write !=`},
		{`body.items.map(.sku)`, 10, 4, `a list has no method map: write map(body.items, …)`},
		{`'it's'`, 4, 1, `unexpected s: a quote inside of text is written \', or the text put in "…"`},
		{`hello world`, 6, 5, `unexpected world: text is quoted: 'hello world'`},
		{`body.a 5`, 7, 1, `unexpected 5: an operator is missing before it, such as + or ==`},
		{`body.a == None`, 10, 4, `"None" is not something an expression can see here: body, event, local, meta, parent, secret, var, vars: write nil`},
		{`now < body.a`, 0, 3, `"now" is not something an expression can see here: body, event, local, meta, parent, secret, var, vars: to call the function, write now()`},
		{`true + 1`, 0, 4, `+ needs a number, but true is true or false`},
		{`filter(body.items, 'x')`, 19, 3, `the predicate of filter needs true or false, but 'x' is text: compare it with something`},
	} {
		_, err := Compile(Source{Text: c.text}, sampleScope())
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v, want an *Error", c.text, err)
			continue
		}
		got := e.Message
		if e.Hint != "" {
			got += ": " + e.Hint
		}
		if got != c.want || e.Offset != c.from || e.Length != c.size {
			t.Errorf("%s\n got %d+%d %s\nwant %d+%d %s", c.text, e.Offset, e.Length, got, c.from, c.size, c.want)
		}
	}
}

func TestCompileReportsAllFaults(t *testing.T) {
	_, err := Compile(Source{Text: `boddy.a + lowr(5) + secret.x`}, sampleScope())
	var all Errors
	if !errors.As(err, &all) || len(all) != 3 {
		t.Fatalf("got %v, want three faults", err)
	}
	if want := []int{0, 10, 20}; all[0].Offset != want[0] || all[1].Offset != want[1] || all[2].Offset != want[2] {
		t.Errorf("places %d %d %d, want %v", all[0].Offset, all[1].Offset, all[2].Offset, want)
	}
}

func TestLocate(t *testing.T) {
	src := Source{Text: "body.total > 100", Locate: func(offset int) Position { return Position{"orders.hcl", 14, 20 + offset} }}
	e, err := Compile(src, sampleScope())
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.Eval(&Input{Body: map[string]any{}})
	if want := "orders.hcl:14:20: body.total is nil: write (body.total ?? 0) > 100"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
