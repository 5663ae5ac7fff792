package lsp

import (
	"context"
	"maps"
	"slices"

	"go.lsp.dev/protocol"

	"github.com/syncd/syncd/engine/config"
)

// publish tells the editor what is wrong with each file, and of those that were
// wrong before and are no more. Without a snapshot nothing is wrong.
func (s *Server) publish(ctx context.Context, j job, snapshot *config.Snapshot) {
	byFile := map[string][]protocol.Diagnostic{}
	for path := range j.project.published {
		byFile[path] = nil
	}
	for path := range j.held {
		byFile[path] = nil // also the first time: the editor sees that it was looked at
	}
	if snapshot != nil {
		s.sort(snapshot, byFile)
	}
	clear(j.project.published)
	for _, path := range slices.Sorted(maps.Keys(byFile)) {
		diags := byFile[path]
		if len(diags) > 0 {
			j.project.published[path] = true
		}
		p := &protocol.PublishDiagnosticsParams{URI: s.uriOf(path), Diagnostics: diags}
		if diags == nil {
			p.Diagnostics = []protocol.Diagnostic{}
		}
		if d := j.held[path]; d != nil {
			p.URI, p.Version = d.uri, protocol.NewOptional(d.version)
		}
		if err := s.client.PublishDiagnostics(ctx, p); err != nil && ctx.Err() == nil {
			s.opts.Log.Warn("cannot publish", "file", path, "error", err)
		}
	}
}

// sort gives each file what is wrong with it; what no file is to blame for stands at
// the beginning of the first.
func (s *Server) sort(snapshot *config.Snapshot, byFile map[string][]protocol.Diagnostic) {
	texts := map[string]*text{}
	for _, d := range snapshot.Diagnostics {
		path := d.Range.File
		if path == "" {
			if files := snapshot.Files(); len(files) > 0 {
				path = files[0]
			} else {
				s.opts.Log.Warn(d.Summary, "detail", d.Detail)
				continue
			}
		}
		if texts[path] == nil {
			content, _ := snapshot.Text(path)
			texts[path] = newText(content, s.editor.utf8)
		}
		byFile[path] = append(byFile[path], diagnostic(texts[path], d))
	}
}

func diagnostic(t *text, d config.Diagnostic) protocol.Diagnostic {
	severity, message := protocol.DiagnosticSeverityError, d.Summary
	if d.Severity == config.Warning {
		severity = protocol.DiagnosticSeverityWarning
	}
	if d.Detail != "" {
		message += "\n" + d.Detail
	}
	return protocol.Diagnostic{
		Range: t.span(d.Range.Start.Byte, d.Range.End.Byte), Severity: severity,
		Source: protocol.NewOptional("syncd"), Message: protocol.String(message),
	}
}
