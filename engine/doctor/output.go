package doctor

import (
	"fmt"
	"slices"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/unit"
)

// checkOutputs looks at every directory that components write to.
func (e *exam) checkOutputs() {
	if e.cfg == nil {
		return
	}
	for _, c := range e.components() {
		if w, ok := c.Config.(component.Writer); ok {
			for _, dir := range w.Directories() {
				e.checkOutput(c.Address, dir)
			}
		}
	}
}

func (e *exam) components() []*config.Component {
	return slices.Concat(e.cfg.Connections, e.cfg.Sources, e.cfg.Sinks)
}

func (e *exam) checkOutput(addr component.Address, dir string) {
	const check = "output"
	if e.Unit != nil {
		switch e.Unit.Access(dir) {
		case unit.ReadOnly, unit.Hidden:
			e.fail(check, fmt.Sprintf("%s keeps %s from %s", e.Unit.Name, addr, dir), e.lift(dir))
			return
		case unit.Private:
			e.warn(check, fmt.Sprintf("%s writes to %s, which is a private one under PrivateTmp=: only the service sees the files, and they go with it", addr, dir), "Choose another path.")
			return
		}
	}
	at := unit.Existing(dir)
	if err := e.who.may(at, mayWrite|mayEnter); err != nil && !e.madeByUnit(dir) {
		e.fail(check, fmt.Sprintf("%s may not write to %s, where %s does", e.who.name, at, addr),
			"Give that user, or a group of its, the right: chgrp and chmod g+ws"+e.group()+".")
		return
	}
	text := fmt.Sprintf("%s can write to %s", addr, dir)
	if at != dir && !e.madeByUnit(dir) {
		text += ", which it will make in " + at
	}
	e.ok(check, text)
}

// group is how a service gets into a group.
func (e *exam) group() string {
	if e.Unit == nil {
		return ""
	}
	return ", and SupplementaryGroups= in the unit"
}

// lift says how the unit lets its service write to dir.
func (e *exam) lift(dir string) string {
	line := unit.Allow(dir)
	if e.Unit.Access(dir) == unit.Hidden {
		line = "ProtectHome=read-only\n" + line
	}
	first := ""
	if unit.Existing(dir) != dir {
		first = fmt.Sprintf("Make %s, and give the service's user or a group of its the right to write there.\n", dir)
	}
	return fmt.Sprintf("%ssystemctl edit %s, add to [Service], and restart:\n%s", first, e.Unit.Name, line)
}
