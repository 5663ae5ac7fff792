package journal

import (
	"context"
	"errors"
	"fmt"
)

// pingTask asks the writer for nothing but an answer.
type pingTask struct{ job }

func (*pingTask) run(*writer) error { return nil }

// Ping tells whether the writer moves: it hands it an empty task and waits for the
// answer until ctx ends. A writer that answers with trouble, a full disk say, is
// alive; one that hangs in a sync is not. Errors: ErrClosed, and that of ctx.
func (j *SQLite) Ping(ctx context.Context) error {
	t := &pingTask{newJob()}
	if err := j.queue.put(t); err != nil {
		return err
	}
	select {
	case <-t.done:
		if errors.Is(t.err, ErrClosed) {
			return ErrClosed
		}
		return nil
	case <-ctx.Done():
		t.giveUp()
		return fmt.Errorf("the journal's writer does not answer: %w", ctx.Err())
	}
}
