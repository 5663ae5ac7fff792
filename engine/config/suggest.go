package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/syncd/syncd/engine/spelling"
)

// suggest is the sentence about the nearest candidate, "" if none is near.
func suggest(name string, candidates []string) string {
	if best := spelling.Nearest(name, candidates); best != "" {
		return fmt.Sprintf("Did you mean %q?", best)
	}
	return ""
}

// similarPath is the sentence about the file that path, below dir, was most likely
// meant to be: one beside it with a similar name, also where a directory's name is wrong.
func similarPath(dir, path string) string {
	full := absolute(dir, path)
	found := nearestFile(full)
	if parent := filepath.Dir(full); found == "" && parent != "/" {
		if found = nearestFile(parent); found != "" {
			found = filepath.Join(found, filepath.Base(full))
		}
	}
	if _, err := os.Stat(found); err != nil {
		return ""
	}
	if rel, err := filepath.Rel(dir, found); err == nil && !filepath.IsAbs(path) {
		found = rel
	}
	return fmt.Sprintf(". Did you mean %q?", found)
}

// nearestFile gives what stands beside path under a similar name, "" for nothing.
func nearestFile(path string) string {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return ""
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if best := spelling.Nearest(filepath.Base(path), names); best != "" {
		return filepath.Join(filepath.Dir(path), best)
	}
	return ""
}

// line is s on a line of its own, nothing for "".
func line(s string) string {
	if s == "" {
		return ""
	}
	return "\n" + s
}

// list writes names as a sentence does: a, b and c.
func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// some is list of names that may be many.
func some(names []string) string {
	const most = 12
	if len(names) <= most {
		return list(names)
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most-1], ", "), len(names)-most+1)
}

// either writes names as a choice: a, b or c.
func either(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}
