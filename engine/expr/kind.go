package expr

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// kind is a set of kinds of values: one bit for what a value is, several for
// what an expression may yield.
type kind uint16

const (
	kNil kind = 1 << iota
	kBool
	kInt
	kFloat
	kBig // json.Number: a whole number beyond 64 bits
	kText
	kTime
	kList
	kObject
	// The following exist only while an expression runs; a result turns into text.
	kDuration
	kZone

	kNumber = kInt | kFloat
	kScalar = kNil | kBool | kNumber | kBig | kText | kTime | kDuration | kZone
	// kData is what an event may hold.
	kData = kNil | kBool | kNumber | kBig | kText | kTime | kList | kObject
	kAny  = kData | kDuration | kZone
	// kPlain is what can stand as text inside other text.
	kPlain = kBool | kNumber | kBig | kText | kTime | kDuration | kZone
)

func kindOf(v any) kind {
	switch v.(type) {
	case nil:
		return kNil
	case string:
		return kText
	case int64:
		return kInt
	case float64:
		return kFloat
	case bool:
		return kBool
	case map[string]any:
		return kObject
	case []any:
		return kList
	case json.Number:
		return kBig
	case time.Time:
		return kTime
	case time.Duration:
		return kDuration
	case *time.Location:
		return kZone
	case Unknown:
		return kAny
	}
	return 0
}

var kindNames = []struct {
	kind kind
	name string
}{
	{kNil, "nil"}, {kBool, "true or false"}, {kNumber, "a number"}, {kText, "text"}, {kList, "a list"},
	{kObject, "an object"}, {kTime, "a time"}, {kDuration, "a duration"}, {kZone, "a time zone"},
	{kBig, "a number beyond 64 bits"},
}

// String names the set for a message: "text or a list".
func (k kind) String() string {
	var names []string
	for _, n := range kindNames {
		if k&n.kind != 0 {
			names = append(names, n.name)
		}
	}
	switch len(names) {
	case 0:
		return "a value of an unknown kind"
	case 1:
		return names[0]
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// fallback is what one writes after ?? where a value of kind k is needed.
func (k kind) fallback() string {
	switch {
	case k&kNumber != 0:
		return "0"
	case k&kText != 0:
		return "''"
	case k&kList != 0:
		return "[]"
	case k&kObject != 0:
		return "{}"
	case k&kBool != 0:
		return "false"
	}
	return ""
}

// text is how a value reads inside other text: strings as they are, times as
// RFC 3339, numbers and bools as JSON writes them. Lists and objects are not plain.
func plainText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool, int64, float64:
		return string(appendScalar(nil, v)), true
	case time.Time:
		return v.Format(time.RFC3339Nano), true
	case time.Duration, *time.Location:
		return fmt.Sprint(v), true
	}
	return "", false
}
