package sftp

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/connect/sftp/sshdtest"
)

// BenchmarkOpenSSH moves a file of 200 MB in both directions, and has OpenSSH's own
// sftp do the same in turn, with the same server: its rate and the ratio of the two
// are reported beside ours.
func BenchmarkOpenSSH(b *testing.B) {
	const size = 200 << 20
	s := sshdtest.Start(b)
	dir := fast(b)
	source := filepath.Join(dir, "source")
	if err := os.WriteFile(source, noise(size), 0o600); err != nil {
		b.Fatal(err)
	}
	c := connect(b, to(s))
	theirs := openSSH{b, s, dir}
	for _, way := range []struct {
		name  string
		ours  func(to string)
		batch string
	}{
		{"get", func(string) { get(b, c, source) }, "get " + source + " %s"},
		{"put", func(to string) { put(b, c, source, to) }, "put " + source + " %s"},
	} {
		b.Run(way.name, func(b *testing.B) {
			b.SetBytes(size)
			var mine, other time.Duration
			for n := 0; b.Loop(); n++ {
				target := filepath.Join(dir, fmt.Sprint(way.name, n))
				start := time.Now()
				way.ours(target)
				mine += time.Since(start)
				os.Remove(target)
				b.StopTimer()
				other += theirs.run(fmt.Sprintf(way.batch, target))
				os.Remove(target)
				b.StartTimer()
			}
			b.ReportMetric(size*float64(b.N)/1e6/other.Seconds(), "sftp-MB/s")
			b.ReportMetric(other.Seconds()/mine.Seconds(), "of-sftp's-rate")
		})
	}
}

func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{})
	r.Read(b)
	return b
}

func get(b *testing.B, c *Client, path string) {
	f, err := c.Open(b.Context(), path, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if _, err := io.Copy(io.Discard, f); err != nil {
		b.Fatal(err)
	}
}

func put(b *testing.B, c *Client, from, to string) {
	r, err := os.Open(from)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	w, err := c.Create(b.Context(), to)
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	if _, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r}, make([]byte, 1<<20)); err != nil {
		b.Fatal(err)
	}
	if err := w.Sync(); err != nil {
		b.Fatal(err)
	}
}

// openSSH is OpenSSH's client.
type openSSH struct {
	b   *testing.B
	s   *sshdtest.Server
	dir string
}

// run is how long it takes for a batch, connecting left out.
func (p openSSH) run(batch string) time.Duration {
	key := filepath.Join(p.dir, "key")
	if err := os.WriteFile(key, []byte(p.s.Key), 0o600); err != nil {
		p.b.Fatal(err)
	}
	timed := func(batch string) time.Duration {
		cmd := exec.Command("sftp", "-q", "-b", "-", "-i", key, "-P", fmt.Sprint(p.s.Port), "-F", "none",
			"-o", "UserKnownHostsFile="+p.s.KnownHosts, "-o", "StrictHostKeyChecking=yes", p.s.User+"@"+p.s.Host)
		cmd.Stdin = strings.NewReader(batch + "\n")
		start := time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			p.b.Skipf("sftp, %v: %s", err, out)
		}
		return time.Since(start)
	}
	return timed(batch) - timed("pwd")
}
