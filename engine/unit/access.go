package unit

import (
	"path/filepath"
	"strings"
)

// Access is what a unit lets its service do with a path, whoever owns it.
type Access int

// The accesses.
const (
	Writable Access = iota
	ReadOnly        // ProtectSystem=, ReadOnlyPaths=
	Hidden          // ProtectHome=, InaccessiblePaths=: ReadWritePaths= inside does not help
	Private         // PrivateTmp=: a directory that only the service sees
)

// rule is the access below a path.
type rule struct {
	path   string
	access Access
}

// Access tells what the service may do at the absolute path, by systemd.exec(5):
// the longest path that is named and leads there decides; what is hidden stays so.
func (u *Unit) Access(path string) Access {
	longest, access := -1, Writable
	for _, r := range u.rules() {
		if !below(path, r.path) {
			continue
		}
		if r.access == Hidden {
			return Hidden
		}
		if len(r.path) >= longest {
			longest, access = len(r.path), r.access
		}
	}
	return access
}

func (u *Unit) rules() []rule {
	rules := append(u.protectSystem(), u.protectHome()...)
	if u.Is("PrivateTmp") || u.Is("DynamicUser") {
		rules = append(rules, rule{"/tmp", Private}, rule{"/var/tmp", Private})
	}
	for _, d := range directories {
		for _, path := range u.paths(d.key, d.base) {
			rules = append(rules, rule{path, Writable})
			if u.Is("DynamicUser") { // then it is a link to this one
				rules = append(rules, rule{filepath.Join(d.base, "private", strings.TrimPrefix(path, d.base)), Writable})
			}
		}
	}
	for _, list := range []struct {
		key    string
		access Access
	}{{"ReadOnlyPaths", ReadOnly}, {"ReadWritePaths", Writable}, {"InaccessiblePaths", Hidden}} {
		for _, path := range u.Words(list.key) {
			rules = append(rules, rule{filepath.Clean(strings.TrimLeft(path, "-+")), list.access})
		}
	}
	return rules
}

func (u *Unit) protectSystem() []rule {
	usr := []rule{{"/usr", ReadOnly}, {"/boot", ReadOnly}, {"/efi", ReadOnly}}
	switch v := u.Value("ProtectSystem"); {
	case v == "strict", v == "" && u.Is("DynamicUser"):
		return []rule{{"/", ReadOnly}, {"/dev", Writable}, {"/proc", Writable}, {"/sys", Writable}}
	case v == "full":
		return append(usr, rule{"/etc", ReadOnly})
	case u.Is("ProtectSystem"):
		return usr
	}
	return nil
}

func (u *Unit) protectHome() (rules []rule) {
	access := Hidden
	switch v := u.Value("ProtectHome"); {
	case v == "read-only", v == "" && u.Is("DynamicUser"):
		access = ReadOnly
	case v != "tmpfs" && !u.Is("ProtectHome"):
		return nil
	}
	for _, path := range []string{"/home", "/root", "/run/user"} {
		rules = append(rules, rule{path, access})
	}
	return rules
}

// below tells whether path is dir or in it.
func below(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(rel)
}
