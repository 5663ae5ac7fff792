package listen

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// recheck is how often, at most, the files are looked at.
const recheck = time.Second

// TLS names the files of a listener's certificate, PEM. With ClientCA ("" for
// none), a client must show a certificate that one of those authorities signed.
type TLS struct{ Cert, Key, ClientCA string }

// NewTLS gives the TLS of a server that is none for HTTP: at each handshake with the
// files as they are then. Errors say what is wrong with them now.
func NewTLS(files TLS, log *slog.Logger) (*tls.Config, error) {
	k, err := openKeyring(files, log)
	if err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		return &k.current().config.Certificates[0], nil
	}}, nil
}

// keyring holds what was made from the files and makes it anew when one of them
// changes.
type keyring struct {
	files  TLS
	log    *slog.Logger
	now    func() time.Time
	latest atomic.Pointer[keys]

	mu      sync.Mutex
	checked time.Time
	stamps  []os.FileInfo
}

// keys are the files as they were read.
type keys struct {
	config *tls.Config
	terms  string // what a client must fulfil, changed whenever that has
}

func openKeyring(files TLS, log *slog.Logger) (*keyring, error) {
	k := &keyring{files: files, log: log, now: time.Now}
	var err error
	if k.stamps, err = k.stat(); err != nil {
		return nil, err
	}
	k.checked = k.now()
	read, err := load(files)
	if err != nil {
		return nil, err
	}
	k.latest.Store(read)
	return k, nil
}

var protocols = []string{"h2", "http/1.1"}

// current gives the files as they are now. Files that cannot be used, say because
// only one of a pair has been replaced so far, are logged once and leave the old
// ones in use.
func (k *keyring) current() *keys {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now := k.now(); now.Sub(k.checked) >= recheck {
		k.checked = now
		k.refresh()
	}
	return k.latest.Load()
}

func (k *keyring) refresh() {
	stamps, err := k.stat()
	if err == nil {
		if same(stamps, k.stamps) {
			return
		}
		var fresh *keys
		if fresh, err = load(k.files); err == nil {
			k.stamps = stamps
			k.latest.Store(fresh)
			k.log.Info("certificate reread", "cert", k.files.Cert)
			return
		}
	}
	if !same(stamps, k.stamps) {
		k.stamps = stamps
		k.log.Error("certificate cannot be reread; the old one stays in use", "cert", k.files.Cert, "err", err)
	}
}

// stat looks at the files; of one that cannot be read the result has nothing.
func (k *keyring) stat() ([]os.FileInfo, error) {
	var stamps []os.FileInfo
	for _, name := range []string{k.files.Cert, k.files.Key, k.files.ClientCA} {
		if name == "" {
			continue
		}
		info, err := os.Stat(name)
		if err != nil {
			return nil, fmt.Errorf("read certificate: %w", err)
		}
		stamps = append(stamps, info)
	}
	return stamps, nil
}

func same(a, b []os.FileInfo) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !os.SameFile(a[i], b[i]) || a[i].Size() != b[i].Size() || !a[i].ModTime().Equal(b[i].ModTime()) {
			return false
		}
	}
	return true
}

func load(files TLS) (*keys, error) {
	pair, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	if err != nil {
		return nil, fmt.Errorf("read certificate %s with key %s: %w", files.Cert, files.Key, err)
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: protocols, Certificates: []tls.Certificate{pair}}
	if files.ClientCA == "" {
		return &keys{c, "tls"}, nil
	}
	pem, err := os.ReadFile(files.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("read client_ca: %w", err)
	}
	c.ClientCAs = x509.NewCertPool()
	if !c.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read client_ca %s: it holds no PEM certificate", files.ClientCA)
	}
	c.ClientAuth = tls.RequireAndVerifyClientCert
	// A resumed session would keep a client in whose authority has since been taken out.
	c.SessionTicketsDisabled = true
	return &keys{c, fmt.Sprintf("tls, client_ca %x", sha256.Sum256(pem))}, nil
}
