package examples

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// usualAPI is where the examples that ask an API find its stand-in.
const usualAPI = "127.0.0.1:8090"

// serveAPI stands in for the API of the example in dir, if it asks one.
func serveAPI(t *testing.T, dir string) {
	t.Helper()
	api := filepath.Join(dir, "api")
	if _, err := os.Stat(api); err != nil {
		return
	}
	server := httptest.NewServer(http.FileServer(http.Dir(api)))
	t.Cleanup(server.Close)
	for file, text := range configurations(t, dir) {
		text = strings.ReplaceAll(text, usualAPI, strings.TrimPrefix(server.URL, "http://"))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// configurations are the texts of the *.hcl in dir, by path.
func configurations(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[file] = string(text)
	}
	return all
}
