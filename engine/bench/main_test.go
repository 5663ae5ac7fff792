package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if spec := os.Getenv(referenceEnv); spec != "" {
		serveReference(spec)
	}
	if spec := os.Getenv(databasesEnv); spec != "" {
		serveDatabases(spec)
	}
	if spec := os.Getenv(rowsEnv); spec != "" {
		serveRows(spec)
	}
	if spec := os.Getenv(importEnv); spec != "" {
		importAlone(spec)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if buildDir != "" {
			os.RemoveAll(buildDir)
		}
		os.Exit(code)
	}))
}

// buildDir holds the daemon that binary has built.
var buildDir string

// binary builds the daemon as `make build` does, once.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "syncd-bench-")
	if err != nil {
		return "", err
	}
	buildDir = dir
	path := filepath.Join(dir, "syncd")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "github.com/syncd/syncd/cmd/syncd")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build syncd: %w\n%s", err, out)
	}
	return path, nil
})
