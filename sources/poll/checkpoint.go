package poll

import (
	"encoding/json"
	"errors"

	"github.com/syncd/syncd/engine/component"
)

var _ component.Checkpointed = (*source)(nil)

// Checkpoint takes a cursor. The run that was under way is not gone on with.
func (s *source) Checkpoint(raw json.RawMessage) ([]component.Put, error) {
	if s.cfg.Cursor == nil {
		return nil, errors.New("it has no cursor: each run reads everything")
	}
	var v value
	if err := v.UnmarshalJSON(raw); err != nil {
		return nil, err
	}
	switch v.v.(type) {
	case nil, bool, []any, map[string]any:
		return nil, errors.New("a cursor is a text or a number")
	}
	return []component.Put{
		{Key: keyCursor, Value: v},
		{Key: keyRun},
		{Key: keyEpoch, Value: s.now().UnixNano()},
	}, nil
}
