package admin

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// systemSocket is where the packaged unit's RuntimeDirectory= puts the socket.
const systemSocket = "/run/syncd/" + SocketName

// Place is one place to look for a daemon's socket, and why there.
type Place struct {
	Path string
	Why  string // "--socket", "$RUNTIME_DIRECTORY", …
}

// Places lists where a daemon may listen, the likeliest first. socket or stateDir,
// when given, are the only place.
func Places(socket, stateDir string) []Place {
	switch {
	case socket != "":
		return []Place{{socket, "--socket"}}
	case stateDir != "":
		return []Place{{filepath.Join(stateDir, SocketName), "--state-dir"}}
	}
	var ps []Place
	if dir := runtimeDir(); dir != "" {
		ps = append(ps, Place{filepath.Join(dir, SocketName), "$RUNTIME_DIRECTORY"})
	}
	return append(ps,
		Place{systemSocket, "the system's daemon"},
		Place{filepath.Join(".syncd", SocketName), "the working directory"})
}

// UnreachableError says that no daemon answered, and where it was looked for.
type UnreachableError struct {
	Places []Place
	Causes []error // one for each place
}

func (e *UnreachableError) Error() string {
	var b strings.Builder
	b.WriteString("no running syncd answers; looked for its socket at")
	for i, p := range e.Places {
		fmt.Fprintf(&b, "\n  %s (%s): %s", p.Path, p.Why, cause(e.Causes[i]))
	}
	b.WriteString("\nStart it with 'syncd run', or say where it is: --state-dir DIR (its daemon { state_dir }) or --socket PATH.")
	if e.denied() {
		b.WriteString("\nOnly the daemon's own user and root may talk to it: try sudo.")
	}
	return b.String()
}

func (e *UnreachableError) denied() bool {
	for _, err := range e.Causes {
		if errors.Is(err, fs.ErrPermission) {
			return true
		}
	}
	return false
}
