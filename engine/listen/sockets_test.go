package listen

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/syncd/syncd/engine/component"
)

// serveInherited, in the environment, makes the test's program a small daemon
// that answers "hello" on listener "public" until SIGTERM.
const serveInherited = "LISTEN_TEST_SERVES"

func daemon() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	sockets := Inherit()
	l, err := Open(Config{Name: "listener.http.public", Address: os.Getenv(serveInherited), Sockets: sockets}, log)
	if err == nil {
		err = l.Swap([]component.Route{{Path: "/", Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "hello", os.Getenv("LISTEN_FDS"))
		})}})
	}
	if err != nil {
		log.Error(err.Error())
		return 1
	}
	for _, sentence := range sockets.Unused() {
		log.Warn(sentence)
	}
	context.AfterFunc(ctx, func() { l.Shutdown(context.Background()) })
	fmt.Println("ready")
	if err := l.Serve(); err != nil {
		return 1
	}
	l.Shutdown(context.Background())
	return 0
}

// handed is a listening socket as systemd passes it.
func handed(t *testing.T, name, network, address string) *os.File {
	t.Helper()
	var part interface {
		File() (*os.File, error)
		Close() error
	}
	switch network {
	case "udp":
		c, err := net.ListenPacket("udp", address)
		if err != nil {
			t.Fatal(err)
		}
		part = c.(*net.UDPConn)
	default:
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		if unix, ok := l.(*net.UnixListener); ok {
			unix.SetUnlinkOnClose(false)
		}
		part = l.(interface {
			File() (*os.File, error)
			Close() error
		})
	}
	defer part.Close()
	return rename(t, part, name)
}

// rename gives a file with the name that systemd would tell.
func rename(t *testing.T, l interface{ File() (*os.File, error) }, name string) *os.File {
	t.Helper()
	f, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fd, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fd), name)
}

func (s *Sockets) close() {
	for _, one := range s.all {
		if one.tcp != nil {
			one.tcp.Close()
		}
	}
}

func TestSocketsFindTheirListeners(t *testing.T) {
	s := newSockets([]*os.File{
		handed(t, "public", "tcp", "127.0.0.1:0"), handed(t, "public", "tcp", "[::1]:0"),
		handed(t, "syncd.socket", "tcp", "127.0.0.1:0"), handed(t, "other", "tcp", "127.0.0.1:0"),
	})
	defer s.close()
	at := func(i int) string { return s.all[i].tcp.Addr().String() }
	tests := []struct{ name, address, want string }{
		{"listener.http.public", at(0), at(0) + " " + at(1)},
		{"listener.http.public", at(2), at(0) + " " + at(1)}, // its name counts more
		{"listener.http.local", at(2), at(2)},
		{"listener.http.local", at(3), ""}, // that one is another's, by name
		{"listener.http.local", "127.0.0.1:0", ""},
		{"listener.http.other", "127.0.0.1:0", at(3)},
	}
	for _, test := range tests {
		var got []string
		for _, one := range s.find(Config{Name: test.name, Address: test.address}) {
			got = append(got, one.tcp.Addr().String())
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s at %s: got %v, want %s", test.name, test.address, got, test.want)
		}
	}
	var none *Sockets
	if none.find(Config{}) != nil || none.Unused() != nil {
		t.Error("no sockets are some")
	}
}

// Both sockets of one name are served, by what they are bound to; a listener that
// goes leaves them open for the next one, and who has connected meanwhile waits.
func TestSocketStaysOpen(t *testing.T) {
	sockets := newSockets([]*os.File{handed(t, "public", "tcp", "127.0.0.1:0"), handed(t, "public", "tcp", "127.0.0.1:0")})
	defer sockets.close()
	if got := len(sockets.Unused()); got != 2 {
		t.Errorf("%d unused", got)
	}
	c := Config{Name: "listener.http.public", Address: "127.0.0.1:1", Sockets: sockets}
	var log strings.Builder
	open := func() (*Listener, chan error) {
		l, err := Open(c, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Swap([]component.Route{{Path: "/", Handler: say("hello")}}); err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- l.Serve() }()
		return l, served
	}
	var waiting []net.Conn
	for range 3 {
		for _, one := range sockets.all {
			c, err := net.Dial("tcp", one.tcp.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			waiting = append(waiting, c)
		}
		l, served := open()
		if got := sockets.Unused(); got != nil {
			t.Errorf("unused: %v", got)
		}
		if !l.Keeps(c) || !l.Keeps(Config{Name: c.Name, Address: "127.0.0.1:2", Sockets: sockets}) || l.Keeps(Config{Name: "listener.http.x", Address: c.Address, Sockets: sockets}) {
			t.Error("the sockets are not the listener's")
		}
		for ; len(waiting) > 0; waiting = waiting[1:] {
			if status, body := answer(t, waiting[0]); status != 200 || body != "hello" {
				t.Errorf("got %d %q", status, body)
			}
		}
		if err := l.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	}
	if got := strings.Count(log.String(), "bound to another address"); got != 3 {
		t.Errorf("%d warnings of the address:\n%s", got, log.String())
	}
}

func TestUnfitSockets(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	accepted, err := net.Dial("tcp", tcp.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer accepted.Close()
	plain, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := syscall.Dup(int(plain.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	plain.Close()
	s := newSockets([]*os.File{
		handed(t, "mail", "udp", "127.0.0.1:0"), handed(t, "local", "unix", t.TempDir()+"/s"),
		rename(t, accepted.(*net.TCPConn), "each"), os.NewFile(uintptr(fd), "null"),
		handed(t, "spare", "tcp", "127.0.0.1:0"), handed(t, "syncd.socket", "tcp", "127.0.0.1:0"),
	})
	defer s.close()
	want := []string{
		`socket "mail" from systemd is not a TCP socket: write ListenStream=HOST:PORT in its .socket unit`,
		`socket "local" from systemd is a Unix socket, and listeners speak TCP: write ListenStream=HOST:PORT in its .socket unit`,
		`socket "each" from systemd is a connection, not a socket that listens: remove Accept=yes from its .socket unit`,
		`socket "null" from systemd is no socket: write ListenStream=HOST:PORT in its .socket unit`,
		fmt.Sprintf(`socket "spare" from systemd (%s) is not used: no listener has its name. Declare listener "http" "spare", or correct FileDescriptorName= in its .socket unit`, s.all[4].tcp.Addr()),
		fmt.Sprintf(`socket "syncd.socket" from systemd (%s) is not used: no listener has its address. Declare one, or say which with FileDescriptorName= in its .socket unit`, s.all[5].tcp.Addr()),
	}
	if diff := cmp.Diff(want, s.Unused()); diff != "" {
		t.Error(diff)
	}
}

// unit plays systemd: it holds a socket, and starts the daemon with it.
type unit struct {
	t      *testing.T
	socket *os.File
}

// start starts the daemon and waits until it is ready.
func (u unit) start() *exec.Cmd {
	u.t.Helper()
	// The process must know its own number.
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0"`, os.Args[0])
	cmd.Env = append(os.Environ(), serveInherited+"=127.0.0.1:1", "LISTEN_FDS=1", "LISTEN_FDNAMES=public")
	cmd.ExtraFiles = []*os.File{u.socket}
	out, err := cmd.StdoutPipe()
	if err != nil {
		u.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		u.t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		u.t.Fatalf("the daemon says %q, %v", line, err)
	}
	return cmd
}

// While the daemon is restarted, clients connect all the time, each time anew. No
// request fails: those that find nobody wait.
func TestRestartRefusesNobody(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	u := unit{t, rename(t, tcp.(*net.TCPListener), "public")}
	defer u.socket.Close()
	running := u.start()
	stop := make(chan bool)
	var clients sync.WaitGroup
	tick := make(chan bool) // an answer
	for range 4 {
		c := client(t)
		c.Transport.(*http.Transport).DisableKeepAlives = true
		clients.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				res, err := c.Post("http://"+tcp.Addr().String(), "", strings.NewReader("x"))
				if err != nil {
					t.Error(err)
					continue
				}
				if body, _ := io.ReadAll(res.Body); string(body) != "hello" {
					t.Errorf("got %s %q", res.Status, body)
				}
				res.Body.Close()
				select {
				case tick <- true:
				default:
				}
			}
		})
	}
	for range 5 {
		running.Process.Signal(syscall.SIGTERM)
		if err := running.Wait(); err != nil {
			t.Error(err)
		}
		running = u.start()
		for range 20 {
			<-tick
		}
	}
	close(stop)
	clients.Wait()

	// Killed while nobody is served, it leaves those who come meanwhile waiting.
	running.Process.Kill()
	running.Wait()
	var waiting []net.Conn
	for range 20 {
		c, err := net.Dial("tcp", tcp.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		waiting = append(waiting, c)
	}
	running = u.start()
	for _, c := range waiting {
		if status, body := answer(t, c); status != 200 || body != "hello" {
			t.Errorf("got %d %q", status, body)
		}
	}
	running.Process.Signal(syscall.SIGTERM)
	running.Wait()
}

// The same from systemd's own tool, which hands over what systemd would.
func TestSystemdSocketActivate(t *testing.T) {
	tool, err := exec.LookPath("systemd-socket-activate")
	if err != nil {
		t.Skip("systemd-socket-activate is not installed")
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	cmd := exec.Command(tool, "--listen="+address, "--fdname=public", "-E", serveInherited+"="+address, os.Args[0])
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(log)
	if line, err := lines.ReadString('\n'); !strings.Contains(line, "Listening on") {
		t.Fatalf("%s says %q, %v", tool, line, err)
	}
	if _, body := get(t, client(t), "GET", "http://"+address, ""); body != "hello" {
		t.Errorf("got %q", body)
	}
	cmd.Process.Signal(syscall.SIGTERM)
	rest, _ := io.ReadAll(lines)
	if err := cmd.Wait(); err != nil || strings.Contains(string(rest), "level=") {
		t.Errorf("it ended with %v and said:\n%s", err, rest)
	}
}
