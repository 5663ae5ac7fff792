package sshdtest

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"fmt"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// NewKey makes a key.
func NewKey(t testing.TB) crypto.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// NewRSAKey makes an RSA key.
func NewRSAKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// PEM is key as ssh-keygen writes it.
func PEM(t testing.TB, key any) string {
	t.Helper()
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block))
}

// EncryptedPEM is key, encrypted with passphrase.
func EncryptedPEM(t testing.TB, key any, passphrase string) string {
	t.Helper()
	block, err := ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte(passphrase))
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block))
}

// Certify is a certificate of key, of type ssh.UserCert or ssh.HostCert, for name.
func Certify(t testing.TB, authority, key any, kind uint32, name string) string {
	t.Helper()
	cert := &ssh.Certificate{
		Key: signer(t, key).PublicKey(), CertType: kind, ValidPrincipals: []string{name}, ValidBefore: ssh.CertTimeInfinity,
	}
	if err := cert.SignCert(rand.Reader, signer(t, authority)); err != nil {
		t.Fatal(err)
	}
	return string(ssh.MarshalAuthorizedKey(cert))
}

// Public is the public half of key, as in id_ed25519.pub.
func Public(t testing.TB, key any) string {
	t.Helper()
	return string(ssh.MarshalAuthorizedKey(signer(t, key).PublicKey()))
}

// KnownHostsLine is a line of a known_hosts file.
func KnownHostsLine(host string, port int, key ssh.PublicKey) string {
	return knownhosts.Line([]string{fmt.Sprintf("%s:%d", host, port)}, key) + "\n"
}

func signer(t testing.TB, key any) ssh.Signer {
	t.Helper()
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
