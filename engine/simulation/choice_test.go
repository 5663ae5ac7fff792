package simulation

import "time"

// seed answers every question of a history. The answer depends on what is asked
// and for whom, never on who asks first: fakes run concurrently.
type seed uint64

// of is a number for the question what about the given subjects.
func (s seed) of(what string, about ...int) uint64 {
	h := uint64(s) ^ 0x9e3779b97f4a7c15
	for i := range len(what) {
		h = mix(h ^ uint64(what[i]))
	}
	for _, a := range about {
		h = mix(h ^ uint64(a))
	}
	return mix(h)
}

// mix is a bijection that spreads every bit (the finisher of SplitMix64).
func mix(h uint64) uint64 {
	h += 0x9e3779b97f4a7c15
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// pick is one of 0…n-1.
func (s seed) pick(n int, what string, about ...int) int {
	return int(s.of(what, about...) % uint64(n))
}

// chance is true in so many cases of a hundred.
func (s seed) chance(percent int, what string, about ...int) bool {
	return s.pick(100, what, about...) < percent
}

// between is a duration from least up to most, to the nanosecond: two fakes that
// wait at the same time practically never wake at the same moment, so that the
// order of things does not depend on the scheduler.
func (s seed) between(least, most time.Duration, what string, about ...int) time.Duration {
	return least + time.Duration(s.of(what, about...)%uint64(most-least+1))
}

// number stands for a text in questions.
func number(text string) int {
	h := uint64(14695981039346656037)
	for i := range len(text) {
		h = mix(h ^ uint64(text[i]))
	}
	return int(h >> 1)
}
