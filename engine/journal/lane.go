package journal

// name is the lane as messages show it. It is no String, since types that embed a
// Lane would have it too.
func (l Lane) name() string {
	if l.Sink == "" {
		return "steps of " + l.Flow
	}
	return l.Flow + " to " + l.Sink
}
