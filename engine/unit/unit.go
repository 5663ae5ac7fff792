// Package unit reads systemd's service units, as far as it matters to what they
// allow their service, and writes lines for them.
package unit

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Unit is the [Service] section of a unit with its drop-ins.
type Unit struct {
	Name     string // "syncd.service"
	Path     string
	settings map[string][]string // values in order; an empty assignment clears them
}

// Directories are where systemd looks for units, the first wins (systemd.unit(5)).
var Directories = []string{"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"}

// Find reads the unit of that name from dirs. Errors: fs.ErrNotExist.
func Find(name string, dirs []string) (*Unit, error) {
	for _, dir := range dirs {
		for _, file := range names(name) {
			path := filepath.Join(dir, file)
			if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
				continue
			}
			return read(name, path, dropIns(name, dirs))
		}
	}
	return nil, fmt.Errorf("find unit %s: it is in none of %s: %w", name, strings.Join(dirs, ", "), fs.ErrNotExist)
}

// Read reads the unit file at path, with the drop-ins of path.d.
func Read(path string) (*Unit, error) {
	name := filepath.Base(path)
	return read(name, path, dropIns(name, []string{filepath.Dir(path)}))
}

// names are the files that a unit may be in: its own, and for an instance the template.
func names(name string) []string {
	if prefix, _, ok := strings.Cut(name, "@"); ok {
		return []string{name, prefix + "@.service"}
	}
	return []string{name}
}

// dropIns are the files of NAME.d in all dirs, by their base names; of equal ones
// the first directory's.
func dropIns(name string, dirs []string) (paths []string) {
	by := map[string]string{}
	for _, dir := range dirs {
		for _, n := range names(name) {
			found, _ := filepath.Glob(filepath.Join(dir, n+".d", "*.conf")) // fails for bad patterns only
			for _, path := range found {
				if base := filepath.Base(path); by[base] == "" {
					by[base] = path
				}
			}
		}
	}
	for _, base := range slices.Sorted(maps.Keys(by)) {
		paths = append(paths, by[base])
	}
	return paths
}

func read(name, path string, dropIns []string) (*Unit, error) {
	u := &Unit{Name: name, Path: path, settings: map[string][]string{}}
	for _, file := range append([]string{path}, dropIns...) {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read unit: %w", err)
		}
		u.parse(string(text))
	}
	return u, nil
}

// parse takes the assignments of [Service] (systemd.syntax(7)).
func (u *Unit) parse(text string) {
	section, whole := "", ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
			continue
		}
		if rest, ok := strings.CutSuffix(line, `\`); ok {
			whole += rest + " "
			continue
		}
		line, whole = whole+line, ""
		if strings.HasPrefix(line, "[") {
			section = line
			continue
		}
		if key, value, ok := strings.Cut(line, "="); ok && section == "[Service]" {
			u.set(strings.TrimSpace(key), strings.TrimSpace(value))
		}
	}
}

func (u *Unit) set(key, value string) {
	if value == "" {
		delete(u.settings, key)
		return
	}
	u.settings[key] = append(u.settings[key], u.expand(value))
}

// expand fills in the specifiers that matter for paths (systemd.unit(5)).
func (u *Unit) expand(s string) string {
	prefix := strings.TrimSuffix(u.Name, filepath.Ext(u.Name))
	prefix, instance, _ := strings.Cut(prefix, "@")
	return strings.NewReplacer("%%", "%", "%i", instance, "%I", instance, "%p", prefix, "%n", u.Name, "%N", strings.TrimSuffix(u.Name, ".service"),
		"%t", "/run", "%S", "/var/lib", "%C", "/var/cache", "%L", "/var/log", "%E", "/etc", "%d", u.CredentialsDirectory()).Replace(s)
}

// CredentialsDirectory is where a running service finds its credentials.
func (u *Unit) CredentialsDirectory() string { return filepath.Join("/run/credentials", u.Name) }

// Value is the last value of a setting, "" if there is none.
func (u *Unit) Value(key string) string {
	if v := u.settings[key]; len(v) > 0 {
		return v[len(v)-1]
	}
	return ""
}

// Words are all words of a list setting.
func (u *Unit) Words(key string) (all []string) {
	for _, v := range u.settings[key] {
		all = append(all, Split(v)...)
	}
	return all
}

// Is tells whether a boolean setting is on.
func (u *Unit) Is(key string) bool {
	return slices.Contains([]string{"yes", "true", "on", "1"}, strings.ToLower(u.Value(key)))
}
