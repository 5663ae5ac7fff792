package main

import (
	"strings"
	"testing"
)

func TestGraph(t *testing.T) {
	tree(t, map[string]string{
		"good.hcl": "source \"webhook\" \"a\" {\n  path = \"/\"\n  verify \"none\" {}\n}\nflow \"f\" {\n  from = source.webhook.a\n  to = sink.log.l\n}\nsink \"log\" \"l\" { description = env(\"UNSET\") }\n",
		"bad.hcl":  "flow \"f\" { to = sink.log.l }\n",
	})
	for args, want := range map[string]string{
		"":                 "flowchart LR\n",
		"--format mermaid": "  flow_f --> sink_log_l\n",
		"--format dot":     "  flow_f -> sink_log_l\n",
	} {
		code, out, says := syncd(append([]string{"graph", "-c", "good.hcl"}, strings.Fields(args)...)...)
		if code != exitOK || !strings.Contains(out, want) || !strings.HasPrefix(says, "Warning:") {
			t.Errorf("%s: code %d: %s%s", args, code, out, says)
		}
	}
	if code, out, says := syncd("graph", "-c", "bad.hcl"); code != exitWrong || out != "" || !strings.Contains(says, "sink.log.l") {
		t.Errorf("code %d: %s%s", code, out, says)
	}
	if code, _, says := syncd("graph", "-c", "good.hcl", "--format", "svg"); code != exitUsage || !strings.Contains(says, "mermaid or dot") {
		t.Errorf("code %d: %s", code, says)
	}
}
