package expr

import (
	"math"
	"slices"
	"unicode/utf8"
)

var listFunctions = map[string]*function{
	"len":       {args: []kind{kText | kList | kObject}, min: 1, result: kInt, quick: true, run: length},
	"first":     {args: []kind{kList}, min: 1, result: kData, grows: true, quick: true, run: first},
	"last":      {args: []kind{kList}, min: 1, result: kData, grows: true, quick: true, run: last},
	"get":       {args: []kind{kList | kObject | kNil, kText | kNumber}, min: 2, result: kData, grows: true, quick: true, prepare: prepareGet, run: get},
	"take":      {args: []kind{kList, kNumber}, min: 2, result: kList, grows: true, quick: true, run: takeFirst},
	"keys":      {args: []kind{kObject}, min: 1, result: kList, run: keys},
	"values":    {args: []kind{kObject}, min: 1, result: kList, grows: true, run: values},
	"toPairs":   {args: []kind{kObject}, min: 1, result: kList, grows: true, run: toPairs},
	"fromPairs": {args: []kind{kList}, min: 1, result: kObject, grows: true, run: fromPairs},
	"reverse":   {args: []kind{kList}, min: 1, result: kList, grows: true, run: reverse},
	"uniq":      {args: []kind{kList}, min: 1, result: kList, grows: true, run: unique},
	"concat":    {args: []kind{kList}, min: 1, many: true, result: kList, grows: true, run: concat},
	"flatten":   {args: []kind{kList}, min: 1, result: kList, grows: true, run: flatten},
	"sort":      {args: []kind{kList, kText}, min: 1, result: kList, grows: true, run: sortList},
}

// length counts elements, fields, or the characters of a text.
func length(m *machine, n *callNode, a []any) any {
	switch v := a[0].(type) {
	case string:
		m.step(len(v)/64, n.at)
		return int64(utf8.RuneCountInString(v))
	case []any:
		return int64(len(v))
	}
	return int64(len(a[0].(map[string]any)))
}

func first(_ *machine, _ *callNode, a []any) any {
	if list := a[0].([]any); len(list) > 0 {
		return list[0]
	}
	return nil
}

func last(_ *machine, _ *callNode, a []any) any {
	if list := a[0].([]any); len(list) > 0 {
		return list[len(list)-1]
	}
	return nil
}

func prepareGet(_ *compiler, n *callNode, args []value) {
	if args[0].lowered {
		n.args[1] = lowered{n.args[1]}
	}
}

// get is a[key] that gives nil for whatever is not there.
func get(_ *machine, _ *callNode, a []any) any {
	switch from := a[0].(type) {
	case map[string]any:
		if key, ok := a[1].(string); ok {
			return from[key]
		}
	case []any:
		i, ok := wholeNumber(a[1])
		if i < 0 {
			i += int64(len(from))
		}
		if ok && i >= 0 && i < int64(len(from)) {
			return from[i]
		}
	}
	return nil
}

func takeFirst(m *machine, n *callNode, a []any) any {
	list := a[0].([]any)
	to := min(max(n.whole(m, a, 1), 0), int64(len(list)))
	return list[:to:to]
}

func sortedKeys(o map[string]any) []string {
	keys := make([]string, 0, len(o))
	for k := range o {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// sorting takes what sorting n elements costs and needs.
func (m *machine) sorting(n int, at span) {
	m.step(n*int(math.Log2(float64(n+1))+1), at)
	m.take(n*slotWeight, at)
}

func keys(m *machine, n *callNode, a []any) any {
	o := a[0].(map[string]any)
	m.sorting(len(o), n.at)
	list := m.newList(len(o), n.at)
	for _, k := range sortedKeys(o) {
		list = append(list, k)
	}
	return list
}

func values(m *machine, n *callNode, a []any) any {
	o := a[0].(map[string]any)
	m.sorting(len(o), n.at)
	list := m.newList(len(o), n.at)
	for _, k := range sortedKeys(o) {
		list = append(list, o[k])
	}
	return list
}

func toPairs(m *machine, n *callNode, a []any) any {
	o := a[0].(map[string]any)
	m.sorting(len(o), n.at)
	m.take(len(o)*(listWeight+2*slotWeight), n.at)
	list := m.newList(len(o), n.at)
	for _, k := range sortedKeys(o) {
		list = append(list, []any{k, o[k]})
	}
	return list
}

func fromPairs(m *machine, n *callNode, a []any) any {
	list := a[0].([]any)
	o := m.newObject(len(list), n.at)
	for i, v := range list {
		p, _ := v.([]any)
		if len(p) != 2 {
			n.fail(m, "%s[%d] is no pair [key, value]", m.quote(n.ats[0]), i)
		}
		key, ok := plainText(p[0])
		if !ok {
			n.fail(m, "the key of %s[%d] is %s", m.quote(n.ats[0]), i, kindOf(p[0]))
		}
		o[key] = p[1]
	}
	return o
}

func reverse(m *machine, n *callNode, a []any) any {
	list := a[0].([]any)
	out := append(m.newList(len(list), n.at), list...)
	slices.Reverse(out)
	return out
}

// unique keeps the first of equal elements.
func unique(m *machine, n *callNode, a []any) any {
	list := a[0].([]any)
	m.take(listWeight+len(list)*(slotWeight+pairWeight), n.at)
	out := []any{}
	seen := map[any]struct{}{}
	var rest []any // what cannot be a key of a Go map
	for _, v := range list {
		if key, ok := scalarKey(v); ok {
			if _, dup := seen[key]; dup {
				continue
			}
			seen[key] = struct{}{}
		} else {
			if m.among(rest, v, n.at) {
				continue
			}
			rest = append(rest, v)
		}
		out = append(out, v)
	}
	return out
}

func (m *machine) among(list []any, v any, at span) bool {
	for _, w := range list {
		m.step(1, at)
		if m.equal(v, w, at, 0) {
			return true
		}
	}
	return false
}

// scalarKey gives values that are equal the same key.
func scalarKey(v any) (any, bool) {
	switch v := v.(type) {
	case float64:
		if i, ok := wholeFloat(v); ok {
			return i, true
		}
		return v, true
	case nil, bool, int64, string:
		return v, true
	}
	return nil, false
}

func concat(m *machine, n *callNode, a []any) any {
	size := 0
	for _, l := range a {
		size += len(l.([]any))
	}
	out := m.newList(size, n.at)
	for _, l := range a {
		out = append(out, l.([]any)...)
	}
	return out
}

func flatten(m *machine, n *callNode, a []any) any {
	return m.flatten([]any{}, a[0].([]any), n.at, 1)
}

func (m *machine) flatten(out, list []any, at span, depth int) []any {
	m.deeper(depth, at)
	for _, v := range list {
		m.step(1, at)
		if inner, ok := v.([]any); ok {
			out = m.flatten(out, inner, at, depth+1)
			continue
		}
		out = m.push(out, v, at)
	}
	return out
}

// sortList sorts a copy, keeping the order of equal elements.
func sortList(m *machine, n *callNode, a []any) any {
	list := a[0].([]any)
	descending := len(a) == 2 && m.descending(a[1], n.ats[1])
	for i, v := range list {
		if kindOf(v)&ordered == 0 {
			m.fail(n.ats[0], "", "sort needs %s, but %s[%d] is %s", kNumber|kText|kTime, m.quote(n.ats[0]), i, kindOf(v))
		}
	}
	out := append(m.newList(len(list), n.at), list...)
	slices.SortStableFunc(out, func(x, y any) int { return m.sortOrder(x, y, descending, n.at) })
	return out
}
