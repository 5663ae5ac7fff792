package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/syncd/syncd/engine/doctor"
	"github.com/syncd/syncd/engine/unit"
)

func TestDoctor(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "c.hcl")
	text := fmt.Sprintf("daemon {\n  state_dir = %q\n}\nsink \"files\" \"out\" { path = \"/srv/nowhere/{{ body.id }}.csv\" }\n", filepath.Join(dir, "state"))
	service := filepath.Join(dir, "syncd.service")
	for path, text := range map[string]string{file: text, service: "[Service]\nExecStart=/bin/sh\nProtectSystem=strict\nReadWritePaths=" + dir + "\n"} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	code, out, errs := syncd("doctor", "-c", file, "--unit", service, "--offline")
	want := `error    output         syncd.service keeps sink.files.out from /srv/nowhere
                        Make /srv/nowhere, and give the service's user or a group of its the right to write there.
                        systemctl edit syncd.service, add to [Service], and restart:
                        ReadWritePaths=/srv/nowhere
`
	if code != exitWrong || errs != "" || !strings.Contains(out, want) {
		t.Errorf("code %d, errors %q:\n%s", code, errs, out)
	}
	code, out, _ = syncd("doctor", "-c", file, "--unit", service, "--offline", "--json")
	var got struct{ Findings []doctor.Finding }
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != exitWrong {
		t.Fatalf("code %d, %v:\n%s", code, err, out)
	}
	if n := tally(got.Findings)[doctor.Error]; n != 1 {
		t.Errorf("%d errors in %+v", n, got.Findings)
	}
	code, out, _ = syncd("doctor", "-c", file, "--unit", "none", "--offline")
	if code != exitOK && !strings.Contains(out, "may not write to /srv") { // another user than root
		t.Errorf("without a unit: code %d:\n%s", code, out)
	}
	if code, _, errs := syncd("doctor", "--unit", "syncd-none.service"); code != exitWrong || !strings.Contains(errs, "it is in none of /etc/systemd/system") {
		t.Errorf("code %d: %s", code, errs)
	}
}

// A unit counts only if it runs the configuration in question.
func TestUnitRunsConfiguration(t *testing.T) {
	dir := t.TempDir()
	service := filepath.Join(dir, "syncd.service")
	if err := os.WriteFile(service, []byte("[Service]\nExecStart=/bin/syncd run -c "+dir+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	u, err := unit.Read(service)
	if err != nil {
		t.Fatal(err)
	}
	if !runs(u, dir+"/.") || runs(u, t.TempDir()) || runs(u, dir+"/none") {
		t.Error("the wrong configuration is taken for the unit's")
	}
}
