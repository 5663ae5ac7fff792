package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/syncd/syncd/engine/component"
)

// TestConnectionsInOrder: what is reached through another comes behind that, whatever
// order they were written in.
func TestConnectionsInOrder(t *testing.T) {
	cfg, _, _ := mustLoad(t, map[string]string{"a.hcl": `
connection "http" "a" {
  base_url = "https://a.example"
  via      = connection.http.c
}
connection "http" "b" { base_url = "https://b.example" }
connection "http" "c" {
  base_url = "https://c.example"
  via      = connection.http.b
}
`}, Options{})
	var got []component.Address
	for _, c := range cfg.Connections {
		got = append(got, c.Address)
	}
	if diff := cmp.Diff([]component.Address{"connection.http.b", "connection.http.c", "connection.http.a"}, got); diff != "" {
		t.Error(diff)
	}
}
