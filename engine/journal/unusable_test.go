package journal

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestUnusableTellsWhatToDo(t *testing.T) {
	j := &SQLite{dir: "/var/lib/syncd"}
	for err, words := range map[error][]string{
		&fs.PathError{Op: "open", Path: "/var/lib/syncd/lock", Err: syscall.EROFS}:    {"/var/lib/syncd/lock", "ReadWritePaths=/var/lib/syncd"},
		&fs.PathError{Op: "mkdir", Path: "/var/lib/syncd", Err: syscall.EACCES}:       {"writable", fmt.Sprint("uid ", os.Getuid())},
		&fs.PathError{Op: "mkdir", Path: "/var/lib/syncd", Err: syscall.ENAMETOOLONG}: {"too long"},
	} {
		for _, w := range words {
			if got := j.unusable(err).Error(); !strings.Contains(got, w) {
				t.Errorf("%q does not say %q", got, w)
			}
		}
	}
}
