package row

import "unsafe"

// Text is the value *s, without memory of its own: many texts that were allocated
// together become values at no further cost, where any(*s) would allocate for each.
// *s must never change again.
func Text(s *string) any {
	var v any = ""
	(*[2]unsafe.Pointer)(unsafe.Pointer(&v))[1] = unsafe.Pointer(s) // an interface is a type and where the value is
	return v
}
