package lsp

import (
	"context"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/syncd/syncd/engine/config"
)

// project is a configuration of which documents are open.
type project struct {
	root      string        // file or directory
	stale     bool          // something has changed since it was read last
	read      chan struct{} // closed when snapshot is there
	snapshot  *config.Snapshot
	published map[string]bool // paths of files whose diagnostics the editor shows
}

// projectOf is the configuration of the file at path.
func (s *Server) projectOf(path string) *project {
	root := s.editor.root(path)
	p := s.projects[root]
	if p == nil {
		p = &project{root: root, read: make(chan struct{}), published: map[string]bool{}}
		s.projects[root] = p
	}
	return p
}

// root is where the configuration of the file at path begins: what the editor or
// the command line names; else the folder of the workspace, if it holds files of
// a configuration; else the file's directory or those above it, as long as they do.
func (e *editor) root(path string) string {
	if e.config != "" {
		return e.absolute(e.config)
	}
	for _, folder := range e.folders {
		if strings.HasPrefix(path, folder+string(filepath.Separator)) && holdsConfig(folder) {
			return folder
		}
	}
	dir := filepath.Dir(path)
	for up := filepath.Dir(dir); up != dir && holdsConfig(up); up = filepath.Dir(dir) {
		dir = up
	}
	return dir
}

// absolute takes a relative path from the workspace.
func (e *editor) absolute(path string) string {
	if !filepath.IsAbs(path) && len(e.folders) > 0 {
		path = filepath.Join(e.folders[0], path)
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return path
}

func holdsConfig(dir string) bool {
	found, _ := filepath.Glob(filepath.Join(escapeGlob(dir), "*.hcl"))
	return len(found) > 0
}

func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// stale makes the reader read p. The caller holds s.mu.
func (s *Server) stale(p *project) {
	p.stale = true
	select {
	case s.wake <- struct{}{}:
	default: // it is awake already
	}
}

// keepReading reads what is stale until ctx ends. Changes that come while it reads
// make one more reading, however many they are.
func (s *Server) keepReading(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		}
		for job, ok := s.nextJob(); ok && ctx.Err() == nil; job, ok = s.nextJob() {
			s.run(ctx, job)
		}
	}
}

// job is one reading to be done.
type job struct {
	project *project
	earlier *config.Snapshot
	held    map[string]*document
}

// nextJob takes a stale project; one without open documents is let go.
func (s *Server) nextJob() (job, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.projects {
		if !p.stale {
			continue
		}
		p.stale = false
		j := job{project: p, earlier: p.snapshot, held: map[string]*document{}}
		for path, d := range s.documents {
			if d.project == p {
				j.held[path] = d
			}
		}
		if len(j.held) == 0 {
			delete(s.projects, p.root)
		}
		return j, true
	}
	return job{}, false
}

// run reads and publishes, unless the texts have changed meanwhile: then the next
// reading has what fits them.
func (s *Server) run(ctx context.Context, j job) {
	if len(j.held) == 0 {
		s.publish(ctx, j, nil)
		return
	}
	snapshot := s.readConfig(j)
	s.mu.Lock()
	if j.project.snapshot == nil {
		close(j.project.read)
	}
	j.project.snapshot = snapshot
	stale := j.project.stale
	s.mu.Unlock()
	if !stale {
		s.publish(ctx, j, snapshot)
	}
}

// readConfig reads the configuration as it is in the editor.
func (s *Server) readConfig(j job) (snapshot *config.Snapshot) {
	defer func() {
		if r := recover(); r != nil {
			s.opts.Log.Error("cannot read", "root", j.project.root, "panic", r, "stack", string(debug.Stack()))
			if snapshot = j.earlier; snapshot == nil {
				snapshot = &config.Snapshot{}
			}
		}
	}()
	opts := s.opts.Config
	opts.Placeholders, opts.Earlier, opts.Overlay = true, j.earlier, map[string][]byte{}
	for path, d := range j.held {
		opts.Overlay[path] = d.content
	}
	return config.Read(j.project.root, s.opts.Kinds, opts)
}
