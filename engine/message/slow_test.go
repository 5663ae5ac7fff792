package message

import (
	"strings"
	"testing"
)

// Mails that would keep a careless reader busy for hours are read before the test's
// own time is over.
func TestNothingTakesLong(t *testing.T) {
	const size = 1 << 20
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	for name, raw := range map[string]string{
		"encoded words":     "Subject: " + fill("=?utf-8?Q?a?= "),
		"folds":             "Subject: a" + fill("\n b"),
		"addresses":         "To: " + fill("a@b.example, "),
		"broken addresses":  "To: " + fill("<a@"),
		"comments":          "To: " + fill("("),
		"groups":            "To: " + fill("a:;,"),
		"message ids":       "Message-ID: " + fill("<"),
		"parameters":        "Content-Type: text/plain" + fill("; a=b"),
		"pieces":            "Content-Disposition: attachment" + fill("; filename*0*=a"),
		"near boundaries":   "Content-Type: multipart/mixed; boundary=b\n\n" + fill("--bb\n"),
		"boundaries":        "Content-Type: multipart/mixed; boundary=b\n\n" + fill("--b\n"),
		"nested":            fill("Content-Type: multipart/mixed; boundary=b\n\n--b\n"),
		"tags":              "Content-Type: text/html\n\n" + fill("<div>"),
		"open tags":         "Content-Type: text/html\n\n" + fill("<a "),
		"comments in HTML":  "Content-Type: text/html\n\n" + fill("<!--"),
		"entities":          "Content-Type: text/html\n\n" + fill("&amp"),
		"quotes":            "Content-Type: text/plain; format=flowed\n\n" + fill("> \n"),
		"base64":            "Content-Transfer-Encoding: base64\n\n" + fill("=A"),
		"base64 with lines": "Content-Transfer-Encoding: base64\n\n" + fill("\nA=\n"),
	} {
		t.Run(name, func(*testing.T) {
			Decode([]byte(raw))
			Meta([]byte(raw), false)
		})
	}
}
