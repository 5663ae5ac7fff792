package config

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
)

// pickConfig is a step whose label says what else it takes.
type pickConfig struct {
	As   string  `hcl:"as,required" doc:"Where." example:"\"x\""`
	What pickOne `hcl:",label" doc:"Which."`
}

type pickOne struct {
	Plain *struct{} `hcl:"plain" doc:"Takes nothing more."`
	Sized *sized    `hcl:"sized" doc:"Takes a size."`
}

type sized struct {
	Size int `hcl:"size" doc:"How many." min:"1" example:"3"`
}

func (s *sized) SetDefaults() { s.Size = 7 }

func (s *sized) Validate(p *component.Problems) {
	if s.Size == 13 {
		p.Error("size", "unlucky", "Take another.")
	}
}

type passStep struct{}

func (passStep) Apply(context.Context, *component.Event) ([]*component.Event, error) { return nil, nil }

var labelKinds = append(slices.Clone(testKinds), component.StepKind("pick", "Picks.", func() *pickConfig { return &pickConfig{} },
	func(component.Env, *pickConfig) (component.Step, error) { return passStep{}, nil }))

func loadPicks(t *testing.T, steps string) (*Config, Diagnostics) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.hcl")
	text := "source \"webhook\" \"a\" {\n  path = \"/a\"\n}\nflow \"f\" {\n  from = source.webhook.a\n" + steps + "\n  to = sink.log.a\n}\nsink \"log\" \"a\" {\n}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(path, labelKinds, Options{})
}

// The label says what the block takes; that stands beside what it takes anyway.
func TestStepWithLabel(t *testing.T) {
	if err := CheckKinds(labelKinds); err != nil {
		t.Fatal(err)
	}
	cfg, diags := loadPicks(t, "pick \"sized\" {\n as = \"a\"\n size = 3\n}\npick \"sized\" { as = \"b\" }\npick \"plain\" { as = \"c\" }")
	if cfg == nil {
		t.Fatal(rendered(diags))
	}
	var got []pickConfig
	for _, s := range cfg.Flows[0].Body.Steps {
		got = append(got, *s.Config.(*pickConfig))
	}
	want := []pickConfig{{"a", pickOne{Sized: &sized{3}}}, {"b", pickOne{Sized: &sized{7}}}, {"c", pickOne{Plain: &struct{}{}}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if label := cfg.Flows[0].Body.Steps[0].Label; label != "sized" {
		t.Errorf("its label is %q", label)
	}
}

func TestStepWithLabelFaults(t *testing.T) {
	for steps, want := range map[string]string{
		`pick { as = "a" }`:                            `pick takes one label: It says which: pick "plain" or "sized" { … }.`,
		`pick "size" { as = "a" }`:                     `unknown pick "size": There are plain and sized.`,
		`pick "sized" "x" { as = "a" }`:                `pick takes one label: `,
		`pick "sized" { size = 2 }`:                    `missing attribute "as": `,
		"pick \"plain\" {\n as = \"a\"\n size = 2\n}":  `unknown attribute "size": `,
		"pick \"sized\" {\n as = \"a\"\n sise = 2\n}":  `unknown attribute "sise": Did you mean "size"?`,
		"pick \"sized\" {\n as = \"a\"\n size = 13\n}": `unlucky: Take another.`,
	} {
		_, diags := loadPicks(t, steps)
		found := slices.ContainsFunc(diags, func(d Diagnostic) bool {
			return strings.HasPrefix(d.Summary+": "+d.Detail, want) && d.Severity == Error
		})
		if !found {
			t.Errorf("%s: want %q in\n%s", steps, want, rendered(diags))
		}
	}
}

// A step that takes something else is another step.
func TestStepWithLabelDigest(t *testing.T) {
	seen := map[string]string{}
	for _, steps := range []string{"pick \"sized\" {\n as = \"a\"\n size = 3\n}", "pick \"sized\" {\n as = \"a\"\n size = 4\n}", `pick "plain" { as = "a" }`} {
		cfg, diags := loadPicks(t, steps)
		if cfg == nil {
			t.Fatal(rendered(diags))
		}
		sum, err := json.Marshal(cfg.Flows[0].Parts)
		if err != nil {
			t.Fatal(err)
		}
		if other := seen[string(sum)]; other != "" {
			t.Errorf("%s has the digest of %s", steps, other)
		}
		seen[string(sum)] = steps
	}
}

// Those who tell people of it find the attributes of each choice.
func TestStepWithLabelDescribed(t *testing.T) {
	lang := Describe(labelKinds)
	for label, want := range map[string]string{"plain": "as", "sized": "as size", "": "as"} {
		s := lang.Block("pick", label)
		if s == nil {
			t.Fatalf("no pick %q", label)
		}
		var names []string
		for _, a := range s.Attributes {
			names = append(names, a.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("pick %q takes %s, want %s", label, got, want)
		}
	}
	if s := lang.Block("pick", "other"); s != nil {
		t.Errorf("there is a pick %q", s.Kind)
	}
	if a := lang.Block("pick", "sized").Attribute("size"); a.Default != "7" {
		t.Errorf("the default of size is %q", a.Default)
	}
}
