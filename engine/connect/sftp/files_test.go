package sftp

import (
	"testing"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/files/filestest"
	"github.com/syncd/syncd/engine/connect/sftp/sshdtest"
	"golang.org/x/crypto/ssh"
)

func TestOpenSSH(t *testing.T) {
	c := connect(t, to(sshdtest.Start(t)))
	filestest.Run(t, func(t *testing.T) filestest.Place {
		dir := fast(t)
		return filestest.Place{FS: c, Dir: dir, Disk: dir}
	})
	if c.failed != 0 {
		t.Errorf("%d connections failed", c.failed)
	}
}

// TestInProcess: a server that overwrites where OpenSSH refuses to.
func TestInProcess(t *testing.T) {
	s := sshdtest.Serve(t, &ssh.ServerConfig{NoClientAuth: true})
	c := connect(t, Config{Host: s.Host, Port: s.Port, User: "acme", Password: component.NewSecret("x"), HostKey: publicText(s.HostKey)})
	filestest.Run(t, func(t *testing.T) filestest.Place {
		dir := fast(t)
		return filestest.Place{FS: c, Dir: dir, Disk: dir}
	})
}
