package config

import "encoding/json"

// JSON gives the diagnostics as one indented object, in the shape that
// `terraform validate -json` gives them: valid, error_count, warning_count and
// diagnostics, each with severity, summary, detail and, if a file is to blame,
// range and snippet.
func (d Diagnostics) JSON() []byte {
	r := report{FormatVersion: "1.0", Valid: !d.HasErrors(), Diagnostics: []reportItem{}}
	r.ErrorCount, r.WarningCount = d.Count()
	for _, x := range d {
		r.Diagnostics = append(r.Diagnostics, x.item())
	}
	out, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		panic(err) // strings and numbers only
	}
	return append(out, '\n')
}

type report struct {
	FormatVersion string       `json:"format_version"`
	Valid         bool         `json:"valid"`
	ErrorCount    int          `json:"error_count"`
	WarningCount  int          `json:"warning_count"`
	Diagnostics   []reportItem `json:"diagnostics"`
}

type reportItem struct {
	Severity Severity       `json:"severity"`
	Summary  string         `json:"summary"`
	Detail   string         `json:"detail"`
	Range    *reportRange   `json:"range,omitempty"`
	Snippet  *reportSnippet `json:"snippet,omitempty"`
}

type reportRange struct {
	Filename string    `json:"filename"`
	Start    reportPos `json:"start"`
	End      reportPos `json:"end"`
}

type reportPos struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

type reportSnippet struct {
	Context   *string `json:"context"`
	Code      string  `json:"code"`
	StartLine int     `json:"start_line"`
	// Offsets in bytes of Code.
	HighlightStart int   `json:"highlight_start_offset"`
	HighlightEnd   int   `json:"highlight_end_offset"`
	Values         []any `json:"values"`
}

func (x Diagnostic) item() reportItem {
	item := reportItem{Severity: x.Severity, Summary: x.Summary, Detail: x.Detail}
	if x.Range.File == "" {
		return item
	}
	item.Range = &reportRange{
		Filename: shortPath(x.Range.File),
		Start:    reportPos(x.Range.Start),
		End:      reportPos(x.Range.End),
	}
	before, marked, _ := x.split()
	item.Snippet = &reportSnippet{
		Code: x.Source, StartLine: x.Range.Start.Line, Values: []any{},
		HighlightStart: len(before), HighlightEnd: len(before) + len(marked),
	}
	if x.Context != "" {
		item.Snippet.Context = &x.Context
	}
	return item
}
