package format

import "io"

// Writer turns records into one document, a piece at a time: Begin, Append for
// each record, End. All append to dst; on an error dst comes back as it was.
type Writer interface {
	// Begin appends what stands before the first record.
	Begin(dst []byte) []byte
	// Append appends a record that n others precede.
	Append(dst []byte, n int64, record any) ([]byte, error)
	// End appends what stands after the last record.
	End(dst []byte) []byte
}

// Finisher is a Writer whose End depends on all that it has written. Finish is
// called in its place, with the document from its beginning up to there.
type Finisher interface {
	Finish(document io.Reader) ([]byte, error)
}

// LineBreak is what a record of w is separated by from a foreign one before it that
// ends without; nil where records are not lines.
func LineBreak(w Writer) []byte {
	switch w := w.(type) {
	case *encodedWriter:
		return w.encoded([]byte{'\n'})
	case *TextWriter:
		if w.Raw || !w.Lines {
			return nil
		}
	}
	return []byte{'\n'}
}

// NDJSONWriter writes each record as JSON on a line of its own.
type NDJSONWriter struct{}

// Begin appends nothing.
func (NDJSONWriter) Begin(dst []byte) []byte { return dst }

// Append appends one line.
func (NDJSONWriter) Append(dst []byte, _ int64, record any) ([]byte, error) {
	out, err := AppendJSON(dst, record)
	if err != nil {
		return dst, err
	}
	return append(out, '\n'), nil
}

// End appends nothing.
func (NDJSONWriter) End(dst []byte) []byte { return dst }

// JSONWriter writes one array, a record to a line.
type JSONWriter struct {
	// Path is the way to the array through objects around it; empty: the array is the document.
	Path []string
}

// Begin opens the array.
func (w JSONWriter) Begin(dst []byte) []byte {
	for _, name := range w.Path {
		dst = append(appendString(append(dst, '{'), name), ':')
	}
	return append(dst, '[')
}

// Append appends an element.
func (JSONWriter) Append(dst []byte, n int64, record any) ([]byte, error) {
	out := dst
	if n > 0 {
		out = append(out, ',')
	}
	out, err := AppendJSON(append(out, '\n'), record)
	if err != nil {
		return dst, err
	}
	return out, nil
}

// End closes the array.
func (w JSONWriter) End(dst []byte) []byte {
	dst = append(dst, "\n]"...)
	for range w.Path {
		dst = append(dst, '}')
	}
	return append(dst, '\n')
}
