package main

import (
	"testing"

	"github.com/syncd/syncd/engine/config"
)

func TestKindsAreDeclaredWell(t *testing.T) {
	if err := config.CheckKinds(kinds()); err != nil {
		t.Error(err)
	}
}
