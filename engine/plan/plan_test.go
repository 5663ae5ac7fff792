package plan_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/connect"
	"github.com/syncd/syncd/engine/plan"
	"github.com/syncd/syncd/sinks"
	"github.com/syncd/syncd/sources"
	"github.com/syncd/syncd/transforms"
)

var update = flag.Bool("update", false, "write what is planned into the cases")

// Each case holds the configuration that runs (old.hcl), its successor (new.hcl) and
// what is planned (plan).
func TestBetween(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) < 8 {
		t.Fatalf("%d cases, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			c, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			p := plan.Between(read(t, dir, c, "old.hcl"), read(t, dir, c, "new.hcl"))
			got := written(p)
			i := slices.IndexFunc(c.Files, func(f txtar.File) bool { return f.Name == "plan" })
			if *update {
				c.Files[i].Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(c), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(c.Files[i].Data), got); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
			if back := plan.Between(read(t, dir, c, "new.hcl"), read(t, dir, c, "new.hcl")); !back.Empty() {
				t.Errorf("the same again is no change: %s", written(back))
			}
		})
	}
}

// counter is a source whose checkpoint is about its url.
var counter = component.SourceKind("counter", "For tests.", func() *counterConfig { return &counterConfig{} },
	func(component.Env, *counterConfig) (component.Source, error) { return nil, nil })

type counterConfig struct {
	URL     string        `hcl:"url,required,identity" doc:"What is counted." example:"\"https://x\""`
	Timeout time.Duration `hcl:"timeout" doc:"For one request."`
}

// read reads the file of that name in a case, as conf.hcl beside its other files.
func read(t *testing.T, dir string, c *txtar.Archive, name string) *config.Config {
	t.Helper()
	for _, f := range c.Files {
		to := f.Name
		if f.Name == name {
			to = "conf.hcl"
		} else if strings.HasSuffix(f.Name, ".hcl") {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, to), f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kinds := slices.Concat(connect.Kinds(), sources.Kinds(), transforms.Kinds(), sinks.Kinds(), []component.Kind{counter})
	cfg, diags := config.Load(filepath.Join(dir, "conf.hcl"), kinds, config.Options{})
	if cfg == nil {
		t.Fatalf("%s: %v", name, diags)
	}
	return cfg
}

func written(p *plan.Plan) string {
	var b strings.Builder
	for _, c := range p.Changes {
		fmt.Fprintf(&b, "%s %s", c.Action, c.Address)
		if len(c.Reasons) > 0 {
			fmt.Fprintf(&b, ": %s", strings.Join(c.Reasons, ", "))
		}
		if c.State != "" {
			fmt.Fprintf(&b, "; %s", c.State)
		}
		b.WriteByte('\n')
	}
	if len(p.Daemon) > 0 {
		fmt.Fprintf(&b, "daemon: %s\n", strings.Join(p.Daemon, ", "))
	}
	if len(p.Fixed) > 0 {
		fmt.Fprintf(&b, "fixed: %s\n", strings.Join(p.Fixed, ", "))
	}
	return b.String()
}
