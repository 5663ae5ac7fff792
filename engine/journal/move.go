package journal

import "fmt"

// Move says that what was at the address From stands at To now. Moves lead on:
// after a→b and b→c, what was at a stands at c. They may stay in a topology for as
// long as one likes; where nothing is known of From there is nothing to do.
type Move struct{ From, To string }

// ends leads each move to where its way ends. Its error tells of moves that
// contradict each other.
func ends(moved []Move) ([]Move, error) {
	next := make(map[string]string, len(moved))
	for _, m := range moved {
		if m.From == m.To {
			return nil, fmt.Errorf("%s moved to itself: remove the moved block", m.From)
		}
		if to, ok := next[m.From]; ok && to != m.To {
			return nil, fmt.Errorf("%s cannot move to both %s and %s: remove one of the moved blocks", m.From, to, m.To)
		}
		next[m.From] = m.To
	}
	list := make([]Move, 0, len(moved))
	for _, m := range moved {
		to := m.To
		for n := 0; next[to] != ""; n++ {
			if to = next[to]; to == m.From || n > len(next) {
				return nil, fmt.Errorf("%s moved in a circle, by %s back to itself: names cannot be exchanged at once, so move one of them to a new name first", m.From, m.To)
			}
		}
		list = append(list, Move{m.From, to})
	}
	return list, nil
}

// names tells by which name each that moved is known now.
func names(moved []Move) map[string]string {
	list, err := ends(moved)
	if err != nil || len(list) == 0 {
		return nil
	}
	now := make(map[string]string, len(list))
	for _, m := range list {
		now[m.From] = m.To
	}
	return now
}

// name is the name by which the source, flow or sink is known since the last
// Configure: what began before it may still say the old one.
func (j *SQLite) name(old string) string {
	if now := j.names.Load(); now != nil {
		return renamed(*now, old)
	}
	return old
}

func (j *SQLite) lane(old Lane) Lane { return Lane{j.name(old.Flow), j.name(old.Sink)} }

func renamed(now map[string]string, old string) string {
	if to, ok := now[old]; ok {
		return to
	}
	return old
}
