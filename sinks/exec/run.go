package exec

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"syscall"
	"time"
)

// grace is how long a program may take to end once it was told to, and what it
// started may hold its output open once it has ended.
const grace = 5 * time.Second

// run is one run of the program.
type run struct {
	program string
	args    []string // the program's name among them
	dir     string
	env     []string
	stdin   []byte
	limit   int    // bytes of output that are kept
	output  []byte // of stdout and stderr, as they came
}

// run waits for the program to end. When ctx does first, it and all that it started
// is told to end, and killed if it does not. What a program that has ended leaves
// running in its process group is killed in any case.
func (r *run) run(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, r.program)
	cmd.Args, cmd.Dir, cmd.Env = r.args, r.dir, r.env
	if r.stdin != nil {
		cmd.Stdin = bytes.NewReader(r.stdin)
	}
	cmd.Stdout, cmd.Stderr = r, r
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	told := false // to end
	cmd.Cancel = func() error {
		told = true
		return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
	}
	cmd.WaitDelay = grace
	if err := cmd.Start(); err != nil {
		return &startError{err}
	}
	err := cmd.Wait()
	syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) //nolint:errcheck // mostly, nobody is left there
	switch {
	case told:
		return ctx.Err()
	case errors.Is(err, exec.ErrWaitDelay):
		return nil // it ended well, and left something behind
	}
	return err
}

// Write keeps the beginning of the output; the rest is read, so that the program
// does not wait, and forgotten.
func (r *run) Write(b []byte) (int, error) {
	r.output = append(r.output, b[:min(len(b), r.limit-len(r.output))]...)
	return len(b), nil
}

// startError is a program that did not even start.
type startError struct{ error }

func (e *startError) Unwrap() error { return e.error }
