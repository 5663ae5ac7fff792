package message

import (
	"encoding/base64"
	"strings"
	"testing"
)

// BenchmarkDecode is a mail with an attachment of 1 MiB.
func BenchmarkDecode(b *testing.B) {
	line := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\xfe", 57))) + "\r\n"
	raw := []byte("From: a@x.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhi\r\n--b\r\n" +
		"Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat(line, 1<<20/57) + "--b--\r\n")
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		Decode(raw)
	}
}
