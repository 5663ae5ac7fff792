package unit

import (
	"os"
	"path/filepath"
	"strings"
)

// Split gives the words of a setting, which may be quoted (systemd.syntax(7)).
func Split(s string) (words []string) {
	var word strings.Builder
	open, quote := false, byte(0)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s):
			i++
			word.WriteByte(s[i])
			open = true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, open = c, true
		case quote == 0 && (c == ' ' || c == '\t'):
			if open {
				words = append(words, word.String())
			}
			word.Reset()
			open = false
		default:
			word.WriteByte(c)
			open = true
		}
	}
	if open {
		words = append(words, word.String())
	}
	return words
}

// quote writes a path as systemd reads it (systemd.syntax(7), specifiers in systemd.unit(5)).
func quote(path string) string {
	path = strings.ReplaceAll(path, "%", "%%")
	if strings.ContainsAny(path, " \t\"'\\") {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(path) + `"`
	}
	return path
}

// Allow is the line that makes path writable for a service; it must exist.
func Allow(path string) string { return "ReadWritePaths=" + quote(path) }

// Existing is dir or the nearest directory above it that exists: systemd refuses
// to start a unit that names one that does not.
func Existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}
