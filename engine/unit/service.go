package unit

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Config is the configuration that ExecStart= runs syncd with, "" if it says none.
func (u *Unit) Config() string {
	words := u.Words("ExecStart")
	for i, w := range words {
		if (w == "-c" || w == "--config") && i+1 < len(words) {
			return words[i+1]
		}
		if v, ok := strings.CutPrefix(w, "--config="); ok {
			return v
		}
	}
	return ""
}

// directories are the variables that tell a service of its directories.
var directories = []struct{ variable, key, base string }{
	{"STATE_DIRECTORY", "StateDirectory", "/var/lib"},
	{"RUNTIME_DIRECTORY", "RuntimeDirectory", "/run"},
	{"CACHE_DIRECTORY", "CacheDirectory", "/var/cache"},
	{"LOGS_DIRECTORY", "LogsDirectory", "/var/log"},
}

// paths are the directories that the unit makes by that setting.
func (u *Unit) paths(key, base string) (list []string) {
	for _, name := range u.Words(key) {
		name, _, _ = strings.Cut(name, ":") // an alias follows
		list = append(list, filepath.Join(base, name))
	}
	return list
}

// Environment is what Environment= and EnvironmentFile= set, and the directories
// that systemd tells a service of. Files that cannot be read are left out.
func (u *Unit) Environment() map[string]string {
	env := map[string]string{}
	for _, d := range directories {
		if list := u.paths(d.key, d.base); len(list) > 0 {
			env[d.variable] = strings.Join(list, ":")
		}
	}
	assignments := u.Words("Environment")
	for _, path := range u.Words("EnvironmentFile") {
		assignments = append(assignments, fileAssignments(strings.TrimPrefix(path, "-"))...)
	}
	for _, a := range assignments {
		if name, value, ok := strings.Cut(a, "="); ok {
			env[name] = value
		}
	}
	return env
}

func fileAssignments(path string) (list []string) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		name, value, ok := strings.Cut(line, "=")
		if ok && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, ";") {
			list = append(list, name+"="+strings.Join(Split(value), " "))
		}
	}
	return list
}

// Credential is a file that the service gets as a credential of that name.
type Credential struct{ Name, Path string }

// Credentials are those of LoadCredential= that come from files.
func (u *Unit) Credentials() (list []Credential) {
	for _, v := range u.settings["LoadCredential"] {
		name, path, ok := strings.Cut(v, ":")
		if !ok {
			path = filepath.Join("/etc/credstore", name)
		}
		list = append(list, Credential{name, path})
	}
	return list
}

// MayBind tells whether the service may take ports below 1024.
func (u *Unit) MayBind() bool {
	root := !u.Is("DynamicUser") && (u.Value("User") == "" || u.Value("User") == "root")
	return root || slices.Contains(u.Words("AmbientCapabilities"), "CAP_NET_BIND_SERVICE")
}
