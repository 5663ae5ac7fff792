package expr

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

var numberFunctions = map[string]*function{
	"abs":     {args: []kind{kNumber}, min: 1, result: kNumber, run: absolute},
	"ceil":    rounding(math.Ceil),
	"floor":   rounding(math.Floor),
	"round":   rounding(math.Round),
	"int":     {args: []kind{kNumber | kText}, min: 1, result: kInt, run: toInt},
	"float":   {args: []kind{kNumber | kText | kBig}, min: 1, result: kFloat, run: toFloat},
	"number":  {args: []kind{kNumber | kText | kBig}, min: 1, result: kNumber | kBig, run: toNumber},
	"type":    {args: []kind{kAny}, min: 1, result: kText, quick: true, run: typeOf},
	"max":     {args: []kind{kNumber | kList}, min: 1, many: true, result: kNumber | kNil, run: extreme(1)},
	"min":     {args: []kind{kNumber | kList}, min: 1, many: true, result: kNumber | kNil, run: extreme(-1)},
	"mean":    {args: []kind{kNumber | kList}, min: 1, many: true, result: kFloat, run: mean},
	"median":  {args: []kind{kNumber | kList}, min: 1, many: true, result: kFloat, run: median},
	"bitand":  bits2(func(x, y int64) int64 { return x & y }),
	"bitor":   bits2(func(x, y int64) int64 { return x | y }),
	"bitxor":  bits2(func(x, y int64) int64 { return x ^ y }),
	"bitnand": bits2(func(x, y int64) int64 { return x &^ y }),
	"bitshl":  shift(func(x int64, y uint64) int64 { return x << y }),
	"bitshr":  shift(func(x int64, y uint64) int64 { return x >> y }),
	"bitushr": shift(func(x int64, y uint64) int64 { return int64(uint64(x) >> y) }),
	"bitnot": {args: []kind{kNumber}, min: 1, result: kInt, run: func(m *machine, n *callNode, a []any) any {
		return ^n.whole(m, a, 0)
	}},
}

func absolute(m *machine, n *callNode, a []any) any {
	x, _ := numberOf(a[0])
	switch {
	case x.float:
		return math.Abs(x.f)
	case x.i == math.MinInt64:
		n.fail(m, "the result %s", overflow)
	case x.i < 0:
		return -x.i
	}
	return x.i
}

// rounding leaves whole numbers as they are.
func rounding(f func(float64) float64) *function {
	return &function{args: []kind{kNumber}, min: 1, result: kNumber, run: func(_ *machine, _ *callNode, a []any) any {
		if x, ok := a[0].(float64); ok {
			return f(x)
		}
		return a[0]
	}}
}

// toInt cuts off a fraction and reads decimal text.
func toInt(m *machine, n *callNode, a []any) any {
	switch v := a[0].(type) {
	case float64:
		i, ok := wholeFloat(math.Trunc(v))
		if !ok {
			n.fail(m, "%s %s", m.quote(n.ats[0]), overflow)
		}
		return i
	case string:
		i, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			n.fail(m, "%q is not a whole number", shorten(v))
		}
		return i
	}
	return a[0]
}

func toFloat(m *machine, n *callNode, a []any) any {
	var f float64
	switch v := a[0].(type) {
	case float64:
		return v
	case int64:
		return float64(v)
	case string:
		f = n.parseFloat(m, v)
	case json.Number:
		f = n.parseFloat(m, v.String())
	}
	return f
}

func (n *callNode) parseFloat(m *machine, s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		n.fail(m, "%q is not a number", shorten(s))
	}
	return f
}

// toNumber reads a number as JSON writes it, with blanks around it, a plus sign
// or leading zeros allowed, and keeps numbers.
func toNumber(m *machine, n *callNode, a []any) any {
	s, ok := a[0].(string)
	if !ok {
		return a[0]
	}
	s = strings.TrimSpace(s)
	if !isWhole(s) {
		if !isNumeral(s) { // 0x10, 1_000, Inf
			n.fail(m, "%q is not a number", shorten(s))
		}
		return n.parseFloat(m, s)
	}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return i
	}
	digits := strings.TrimLeft(s, "+-0")
	if s[0] == '-' {
		digits = "-" + digits
	}
	return json.Number(digits)
}

// isNumeral tells whether s has only characters that stand in a decimal number.
func isNumeral(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9', c == '.', c == '-', c == '+', c == 'e', c == 'E':
		default:
			return false
		}
	}
	return s != ""
}

// isWhole tells whether s is digits with at most a sign before them.
func isWhole(s string) bool {
	if s != "" && (s[0] == '+' || s[0] == '-') {
		s = s[1:]
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// typeOf gives expr-lang's names.
func typeOf(_ *machine, _ *callNode, a []any) any {
	switch a[0].(type) {
	case nil:
		return "nil"
	case bool:
		return "bool"
	case int64, json.Number:
		return "int"
	case float64:
		return "float"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "map"
	case time.Time:
		return "time.Time"
	case time.Duration:
		return "time.Duration"
	}
	return "unknown"
}

// each calls f for every number among the arguments and in their lists.
func (n *callNode) each(m *machine, a []any, depth int, f func(number)) {
	m.deeper(depth, n.at)
	for i, v := range a {
		m.step(1, n.at)
		if x, ok := numberOf(v); ok {
			f(x)
		} else if list, ok := v.([]any); ok {
			n.each(m, list, depth+1, f)
		} else {
			n.fail(m, "element %d is %s, not a number", i, kindOf(v))
		}
	}
}

// extreme gives the largest (sign 1) or smallest (-1) number, nil of none.
func extreme(sign int) func(*machine, *callNode, []any) any {
	return func(m *machine, n *callNode, a []any) any {
		var best number
		found := false
		n.each(m, a, 0, func(x number) {
			if !found || compareNumbers(x, best)*sign > 0 {
				best, found = x, true
			}
		})
		if !found {
			return nil
		}
		return best.value()
	}
}

func (n *callNode) floats(m *machine, a []any) []float64 {
	var all []float64
	n.each(m, a, 0, func(x number) {
		m.take(2*slotWeight, n.at)
		all = append(all, x.asFloat())
	})
	return all
}

func mean(m *machine, n *callNode, a []any) any {
	all := n.floats(m, a)
	if len(all) == 0 {
		return 0.0
	}
	sum := 0.0
	for _, f := range all {
		sum += f
	}
	return n.finite(m, sum/float64(len(all)))
}

func median(m *machine, n *callNode, a []any) any {
	all := n.floats(m, a)
	if len(all) == 0 {
		return 0.0
	}
	m.sorting(len(all), n.at)
	slices.Sort(all)
	half := len(all) / 2
	if len(all)%2 == 1 {
		return all[half]
	}
	return n.finite(m, (all[half-1]+all[half])/2)
}

func (n *callNode) finite(m *machine, f float64) any {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		n.fail(m, "the result %s", notFinite)
	}
	return f
}

func bits2(f func(x, y int64) int64) *function {
	return &function{args: []kind{kNumber, kNumber}, min: 2, result: kInt, run: func(m *machine, n *callNode, a []any) any {
		return f(n.whole(m, a, 0), n.whole(m, a, 1))
	}}
}

func shift(f func(x int64, y uint64) int64) *function {
	return &function{args: []kind{kNumber, kNumber}, min: 2, result: kInt, run: func(m *machine, n *callNode, a []any) any {
		by := n.whole(m, a, 1)
		if by < 0 {
			n.fail(m, "%s is negative: %d", m.quote(n.ats[1]), by)
		}
		return f(n.whole(m, a, 0), uint64(by))
	}}
}
