package exec

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	"github.com/syncd/syncd/engine/component"
)

// quoted is how much of the output an error repeats.
const quoted = 4 << 10

// judge says what the end of a run means: nil, worth another attempt, or final.
func (s *sink) judge(r *run, err error) error {
	if err == nil {
		return nil
	}
	var exit *exec.ExitError
	var start *startError
	switch {
	case errors.As(err, &start):
		return s.notStarted(start)
	case errors.Is(err, context.DeadlineExceeded):
		return s.failed(r, "it did not end in time and was ended")
	case errors.Is(err, context.Canceled):
		return s.failed(r, "it was ended with the daemon")
	case !errors.As(err, &exit):
		return s.failed(r, err.Error())
	case !exit.Exited():
		return s.failed(r, "it was ended by somebody else, "+exit.String())
	case slices.Contains(s.cfg.RetryOn, exit.ExitCode()):
		return s.failed(r, exit.String())
	}
	return component.Permanent(s.failed(r, exit.String()))
}

// notStarted tells what is wrong with the program from what is wrong with the event.
func (s *sink) notStarted(e *startError) error {
	err := fmt.Errorf("start %s: %w", s.program, e.error)
	switch {
	case errors.Is(e, syscall.E2BIG):
		return component.Permanent(fmt.Errorf("%w; hand large values over by stdin", err))
	case errors.Is(e, syscall.EINVAL): // NUL in a word
		return component.Permanent(err)
	case errors.Is(e, fs.ErrNotExist), errors.Is(e, fs.ErrPermission), errors.Is(e, syscall.ENOEXEC):
		return component.Unwell(err)
	}
	return err
}

func (s *sink) failed(r *run, what string) error {
	text := fmt.Sprintf("run %s: %s", s.program, what)
	if out := strings.TrimSpace(s.scrub.Quote(r.output, quoted)); out != "" {
		text += ": " + out
	}
	return errors.New(text)
}
