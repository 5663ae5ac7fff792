package expr

import (
	"math"
	"math/bits"
)

// number is an int64 or a float64 without the allocation of an interface.
type number struct {
	i     int64
	f     float64
	float bool
}

func numberOf(v any) (number, bool) {
	switch v := v.(type) {
	case int64:
		return number{i: v}, true
	case float64:
		return number{f: v, float: true}, true
	}
	return number{}, false
}

func (n number) value() any {
	if n.float {
		return n.f
	}
	return n.i
}

func (n number) asFloat() float64 {
	if n.float {
		return n.f
	}
	return float64(n.i)
}

// arithFault is what arithmetic says when it cannot: fine if it can.
type arithFault string

const (
	overflow  arithFault = "goes beyond 64 bits"
	notFinite arithFault = "is not a finite number"
	byZero    arithFault = "divides by zero"
	notWhole  arithFault = "needs whole numbers"
	fine      arithFault = ""
)

// compute does a op b: exact on whole numbers, float64 where one is a fraction.
func compute(op byte, a, b number) (number, arithFault) {
	switch {
	case op == '%':
		return modulo(a, b)
	case op == '/':
		if b.asFloat() == 0 {
			return number{}, byZero
		}
	case !a.float && !b.float && (op != '^' || b.i >= 0):
		return computeInts(op, a.i, b.i)
	}
	x, y := a.asFloat(), b.asFloat()
	switch op {
	case '+':
		x += y
	case '-':
		x -= y
	case '*':
		x *= y
	case '/':
		x /= y
	case '^':
		x = math.Pow(x, y)
	}
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return number{}, notFinite
	}
	return number{f: x, float: true}, fine
}

func computeInts(op byte, a, b int64) (number, arithFault) {
	var r int64
	ok := true
	switch op {
	case '+':
		r = a + b
		ok = (r > a) == (b > 0)
	case '-':
		r = a - b
		ok = (r < a) == (b > 0)
	case '*':
		r, ok = multiply(a, b)
	case '^':
		r, ok = power(a, b)
	}
	if !ok {
		return number{}, overflow
	}
	return number{i: r}, fine
}

func multiply(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	negative := (a < 0) != (b < 0)
	switch {
	case hi != 0:
		return 0, false
	case negative && lo <= 1<<63:
		return -int64(lo), true // -int64(1<<63) is the smallest int64 itself
	case !negative && lo < 1<<63:
		return int64(lo), true
	}
	return 0, false
}

func magnitude(a int64) uint64 {
	if a < 0 {
		return -uint64(a)
	}
	return uint64(a)
}

func power(a, b int64) (int64, bool) {
	r := int64(1)
	for ; b > 0; b >>= 1 {
		var ok bool
		if b&1 == 1 {
			if r, ok = multiply(r, a); !ok {
				return 0, false
			}
		}
		if b > 1 {
			if a, ok = multiply(a, a); !ok {
				return 0, false
			}
		}
	}
	return r, true
}

func modulo(a, b number) (number, arithFault) {
	x, okX := wholeNumber(a.value())
	y, okY := wholeNumber(b.value())
	switch {
	case !okX || !okY:
		return number{}, notWhole
	case y == 0:
		return number{}, byZero
	}
	return number{i: x % y}, fine
}

// compareNumbers is exact, also between a large whole number and a fraction.
func compareNumbers(a, b number) int {
	switch {
	case !a.float && !b.float:
		return order(a.i, b.i)
	case a.float && b.float:
		return order(a.f, b.f)
	case a.float:
		return -compareMixed(b.i, a.f)
	}
	return compareMixed(a.i, b.f)
}

func compareMixed(i int64, f float64) int {
	switch {
	case f >= 1<<63:
		return -1
	case f < -1<<63:
		return 1
	}
	whole := math.Trunc(f)
	if c := order(i, int64(whole)); c != 0 {
		return c
	}
	return order(whole, f)
}

func order[T int64 | float64 | string](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
