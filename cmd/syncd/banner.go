package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/syncd/syncd/engine"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/config"
)

// writeBanner says where a daemon that has just started can be reached, and how to
// send it something.
func writeBanner(w io.Writer, path string, cfg *config.Config, r engine.Ready, took time.Duration) {
	fmt.Fprintf(w, "syncd %s is ready after %s\n", versionName(), took.Round(time.Millisecond))
	t := newTable()
	t.indent = "  "
	t.add("configuration", path+" ("+contents(cfg)+")")
	t.add("state", r.StateDir)
	t.add("socket", r.Socket)
	for _, l := range r.Listeners {
		t.add("listening", baseURL(l))
	}
	t.flush(w)
	if len(r.Routes) == 0 {
		return
	}
	fmt.Fprint(w, "\nTry it:\n")
	for _, m := range r.Routes {
		fmt.Fprintf(w, "  %s\n", curl(m, r.Listeners, sample(path, m.Source)))
	}
	fmt.Fprintln(w)
}

// baseURL is how this machine reaches the listener.
func baseURL(l engine.Listening) string {
	scheme := "http://"
	if l.TLS {
		scheme = "https://"
	}
	host, port, err := net.SplitHostPort(l.Addr.String())
	if err != nil {
		return scheme + l.Addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + net.JoinHostPort(host, port)
}

// wildcard is a path parameter of a net/http pattern.
var wildcard = regexp.MustCompile(`\{([^}.$]*)(\.\.\.|\$)?\}`)

// curl is a command line that posts body to the route; a path parameter stands
// there by its name.
func curl(m engine.Mounted, listeners []engine.Listening, body string) string {
	i := slices.IndexFunc(listeners, func(l engine.Listening) bool { return l.Address == m.Listener })
	if i < 0 {
		return ""
	}
	method := ""
	if len(m.Methods) > 0 && !slices.Contains(m.Methods, "POST") {
		method = "-X " + m.Methods[0] + " "
	}
	url := baseURL(listeners[i]) + wildcard.ReplaceAllString(m.Path, "$1")
	return fmt.Sprintf("curl %s-H 'Content-Type: application/json' -d %s %s", method, quote(body), quote(url))
}

// quote makes s one word of a POSIX shell.
func quote(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune("/:.-_", r) && !isAlnum(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func isAlnum(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

// maxSample is the longest body that still makes a line to paste, in bytes.
const maxSample = 2048

// sample is a body to try the source with: the JSON file beside the configuration
// that has the source's name (orders.json for source.webhook.orders, also for those
// that a for_each makes of it), else a small one.
func sample(path string, source component.Address) string {
	dir := path
	if fi, err := os.Stat(path); err == nil && !fi.IsDir() {
		dir = filepath.Dir(path)
	}
	block := string(source.Base())
	name := block[strings.LastIndexByte(block, '.')+1:]
	raw, err := os.ReadFile(filepath.Join(dir, name+".json"))
	var line bytes.Buffer
	if err != nil || json.Compact(&line, raw) != nil || line.Len() > maxSample {
		return `{"id":1}`
	}
	return line.String()
}
