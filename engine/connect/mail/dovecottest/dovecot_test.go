package dovecottest

import "testing"

func TestStart(t *testing.T) {
	s := Start(t, Options{})
	c := s.Client()
	defer c.Close()
	if err := Append(c, "INBOX", "Subject: hello\r\n\r\nhello\r\n"); err != nil {
		t.Fatal(err)
	}
	is, err := c.Select("INBOX", nil).Wait()
	if err != nil || is.NumMessages != 1 {
		t.Fatalf("%+v, %v", is, err)
	}
}
