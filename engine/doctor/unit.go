package doctor

import (
	"fmt"
	"os"
	"strings"
)

// checkUnit looks at what would keep systemd from starting the unit.
func (e *exam) checkUnit() {
	const check = "unit"
	if e.Unit == nil {
		return
	}
	sound := true
	for _, path := range e.Unit.Words("ReadWritePaths") {
		if strings.HasPrefix(path, "-") {
			continue
		}
		if _, err := os.Stat(strings.TrimPrefix(path, "+")); os.IsNotExist(err) {
			sound = false
			e.fail(check, fmt.Sprintf("%s does not start: ReadWritePaths=%s is not there", e.Unit.Name, path), "Make the directory, or take the line out.")
		}
	}
	for _, c := range e.Unit.Credentials() {
		if _, err := os.Stat(c.Path); os.IsNotExist(err) {
			sound = false
			e.fail("credential", fmt.Sprintf("%s does not start: %s of LoadCredential=%s is not there", e.Unit.Name, c.Path, c.Name), "Write the secret into that file, for root alone (chmod 600).")
		}
	}
	if program, _, _ := strings.Cut(e.Unit.Value("ExecStart"), " "); program != "" {
		if info, err := os.Stat(strings.TrimLeft(program, "@-:+!")); err != nil || info.Mode()&0o111 == 0 {
			sound = false
			e.fail(check, fmt.Sprintf("%s does not start: there is no program at %s", e.Unit.Name, program), "Install it there, or change ExecStart=.")
		}
	}
	if sound {
		e.ok(check, e.Unit.Path)
	}
}
