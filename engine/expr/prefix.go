package expr

// Prefix is the text before the first hole: all of it, if there is none.
func (t Template) Prefix() string {
	if t.impl == nil || len(t.impl.parts) == 0 || t.impl.parts[0].hole != nil {
		return ""
	}
	return t.impl.parts[0].literal
}
