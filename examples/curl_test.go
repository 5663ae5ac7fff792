package examples

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// curlLines are the commands of a script that send something.
func curlLines(script string) []string {
	var all []string
	for line := range strings.Lines(script) {
		if strings.HasPrefix(line, "curl ") {
			all = append(all, strings.TrimSpace(line))
		}
	}
	return all
}

// post does what a curl line says, so that the test does not need curl. It must be
// answered by the status that stands behind the line as a comment, else by 202.
func post(t *testing.T, dir, line string) {
	t.Helper()
	if strings.Contains(line, "smtp://") {
		sendMail(t, dir, line)
		return
	}
	line, comment, _ := strings.Cut(line, " # ")
	req, err := readCurl(dir, line)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	want := http.StatusAccepted
	if comment != "" {
		want, _ = strconv.Atoi(comment)
	}
	if resp.StatusCode != want || want == http.StatusAccepted && !strings.Contains(string(body), `"id"`) {
		t.Errorf("%s: %s %s", line, resp.Status, body)
	}
}

// word is one of a shell's command line, plain or in single quotes.
var word = regexp.MustCompile(`'[^']*'|\S+`)

// readCurl knows the few flags that the examples use.
func readCurl(dir, line string) (*http.Request, error) {
	method, url, body, header := "", "", "", http.Header{}
	words := word.FindAllString(line, -1)[1:]
	for i := range words {
		words[i] = strings.Trim(words[i], "'")
	}
	for ; len(words) > 0; words = words[1:] {
		flag := words[0]
		if !strings.HasPrefix(flag, "-") {
			url = flag
			continue
		}
		if words = words[1:]; len(words) == 0 {
			return nil, fmt.Errorf("%s has no value", flag)
		}
		switch value := words[0]; flag {
		case "-X":
			method = value
		case "-H":
			name, v, _ := strings.Cut(value, ": ")
			header.Set(name, v)
		case "-d":
			body = value
		case "--data-binary":
			content, err := os.ReadFile(filepath.Join(dir, strings.TrimPrefix(value, "@")))
			if err != nil {
				return nil, err
			}
			body = string(content)
		default:
			return nil, fmt.Errorf("this test does not know %s", flag)
		}
	}
	if method == "" {
		method = http.MethodPost
	}
	if body != "" && header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/x-www-form-urlencoded") // as curl does
	}
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err == nil {
		req.Header = header
	}
	return req, err
}

// usualPort is where a configuration listens that says nothing else, and where the
// examples send.
const usualPort = "127.0.0.1:8080"

// freePort lets the configuration in dir listen, and send to itself, where nobody
// else does; its try.sh sends there.
func freePort(t *testing.T, dir string) {
	t.Helper()
	port := unusedPort(t)
	mail := unusedPort(t)
	_, partner, _ := net.SplitHostPort(unusedPort(t))
	files, err := filepath.Glob(filepath.Join(dir, "*.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	scripts, err := filepath.Glob(filepath.Join(dir, "try.sh"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, scripts...) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(strings.NewReplacer(usualPort, port, usualMailPort, mail, usualPartnerPort, partner).Replace(string(text))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	listener := fmt.Sprintf("listener \"http\" \"test\" { address = %q }\n", port)
	if err := os.WriteFile(filepath.Join(dir, "zz_port.hcl"), []byte(listener), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
}

// unusedPort is an address that nobody listens on, below the ports that the system
// gives to whoever does not care.
func unusedPort(t *testing.T) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(10000))
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}
