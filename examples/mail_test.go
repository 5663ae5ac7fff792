package examples

import (
	"bytes"
	"errors"
	"fmt"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/connect/mail/mailtest"
)

// Where a source of mails listens that says nothing else, and where the stand-in for the
// mail server of a partner does.
const (
	usualMailPort    = "127.0.0.1:2525"
	usualPartnerPort = "2526"
)

// sendMail does what a curl line says that sends a mail. It must be answered by the code
// that stands behind the line as a comment, else by 250.
func sendMail(t *testing.T, dir, line string) {
	t.Helper()
	line, comment, _ := strings.Cut(line, " # ")
	var from, to, file, address string
	words := strings.Fields(line)[1:]
	for i, w := range words {
		switch {
		case strings.HasPrefix(w, "smtp://"):
			address = strings.TrimPrefix(w, "smtp://")
		case w == "--mail-from":
			from = words[i+1]
		case w == "--mail-rcpt":
			to = words[i+1]
		case w == "-T":
			file = words[i+1]
		}
	}
	content, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	content = bytes.ReplaceAll(content, []byte("\n"), []byte("\r\n"))
	got := 250
	if err := smtp.SendMail(address, nil, from, []string{to}, content); err != nil {
		var answer *textproto.Error
		if !errors.As(err, &answer) {
			t.Fatal(fmt.Errorf("%s: %w", line, err))
		}
		got = answer.Code
	}
	want := 250
	if comment != "" {
		want, _ = strconv.Atoi(comment)
	}
	if got != want {
		t.Errorf("%s: answered %d, want %d", line, got, want)
	}
}

// orderOf is a mail with an order of so many lines.
func orderOf(n, lines int) string {
	var csv strings.Builder
	csv.WriteString("sku,quantity\n")
	for i := range lines {
		fmt.Fprintf(&csv, "M%d-%d,%d\n", n, i, n+i)
	}
	return fmt.Sprintf("From: Ana <ana@partner.example>\r\nTo: orders+lima@in.example.com\r\nSubject: Order %d\r\nMessage-ID: <%d@partner.example>\r\n"+
		"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n--b\r\n"+
		"Content-Disposition: attachment; filename=a.csv\r\nContent-Type: application/octet-stream\r\n\r\n%s\r\n--b--\r\n", n, n, strings.ReplaceAll(csv.String(), "\n", "\r\n"))
}

// Orders arrive while the program is killed: what was answered with 250 is in the table,
// each line once, and each mail has its confirmation, under one Message-ID. What machines
// send has none.
func TestMailedOrders(t *testing.T) {
	relay := mailtest.Start(t, mailtest.Options{})
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("mailed-orders")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "partner.hcl")); err != nil {
		t.Fatal(err)
	}
	address := unusedPort(t)
	for file, text := range configurations(t, dir) {
		text = strings.NewReplacer(usualMailPort, address, usualPartnerPort, strconv.Itoa(relay.Port)).Replace(text)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	send := func(from, content string) {
		if err := smtp.SendMail(address, nil, from, []string{"orders+lima@in.example.com"}, []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	const mails, runs = 12, 3
	var want []string
	var d *daemon
	for run := range runs {
		d = start(t, dir, ".")
		for n := run * mails / runs; n < (run+1)*mails/runs; n++ {
			send("ana@partner.example", orderOf(n, 1+n%4))
			for i := range 1 + n%4 {
				want = append(want, fmt.Sprintf("%d@partner.example|%d|lima|ana@partner.example|M%d-%d|%d", n, i+1, n, i, n+i))
			}
		}
		if run < runs-1 {
			_ = d.cmd.Process.Kill()
			<-d.rest
			_ = d.cmd.Wait()
		}
	}
	send("ana@partner.example", orderOf(0, 1)) // again: known
	send("ana@partner.example", strings.Replace(orderOf(100, 2), "Subject:", "Auto-Submitted: auto-replied\r\nSubject:", 1))
	send("", strings.Replace(orderOf(101, 2), "multipart/mixed;", "multipart/report; report-type=delivery-status;", 1))
	confirmed := mails
	t.Run("swaks", func(t *testing.T) {
		swaks(t, address)
		confirmed++
		want = append(want, "swaks@partner.example|1|lima|ana@partner.example|S-1|3")
	})
	slices.Sort(want)

	db := &database{query: "SELECT mail, line, shop, sender, sku, quantity FROM order_lines", want: want}
	var got []string
	opened := sqlite(t, filepath.Join(dir, "out", "orders.db"))
	within(t, "all rows", func() bool { got = db.rows(opened); return len(got) >= len(want) })
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	answered := map[string]map[string]bool{} // mail to the Message-IDs of its confirmations
	within(t, "all confirmations", func() bool { return len(confirmations(t, relay, answered)) >= confirmed })
	d.stop(t)
	confirmations(t, relay, answered)
	for n := range mails {
		if ids := answered[fmt.Sprintf("<%d@partner.example>", n)]; len(ids) != 1 {
			t.Errorf("mail %d has confirmations %v", n, ids)
		}
	}
	if len(answered) != confirmed {
		t.Errorf("%d mails are confirmed: %v", len(answered), answered)
	}
}

// swaks sends an order, too: another's idea of the protocol.
func swaks(t *testing.T, address string) {
	t.Helper()
	if _, err := exec.LookPath("swaks"); err != nil {
		t.Skip("needs swaks")
	}
	out, err := exec.CommandContext(t.Context(), "swaks", "--server", address, "--helo", "client.example", "--from", "ana@partner.example",
		"--to", "orders+lima@in.example.com", "--header", "Message-Id: <swaks@partner.example>", "--attach-type", "text/csv", "--attach-name", "o.csv",
		"--attach", "sku,quantity\nS-1,3\n").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "<-  250 2.0.0") {
		t.Errorf("swaks: %v\n%s", err, out)
	}
}

// confirmations notes which mails have been confirmed, and by which Message-IDs.
func confirmations(t *testing.T, relay *mailtest.Server, answered map[string]map[string]bool) map[string]map[string]bool {
	t.Helper()
	for _, m := range relay.Mails() {
		read, err := mail.ReadMessage(strings.NewReader(m.Data))
		if err != nil {
			t.Fatal(err)
		}
		to := read.Header.Get("In-Reply-To")
		if answered[to] == nil {
			answered[to] = map[string]bool{}
		}
		answered[to][read.Header.Get("Message-ID")] = true
		if !slices.Equal(m.To, []string{"ana@partner.example"}) || read.Header.Get("Auto-Submitted") != "auto-generated" {
			t.Errorf("to %v: %s", m.To, m.Data)
		}
	}
	return answered
}
