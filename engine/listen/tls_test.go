package listen

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/component"
)

// issuer signs certificates for tests.
type issuer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newIssuer(t *testing.T, name string) *issuer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &issuer{cert, key}
}

func (i *issuer) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.cert.Raw})
}

func (i *issuer) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(i.cert)
	return pool
}

// issue gives certificate and key as PEM.
func (i *issuer) issue(t *testing.T, name string) (cert, key []byte) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, i.cert, &k.PublicKey, i.key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func files(t *testing.T) TLS {
	dir := t.TempDir()
	return TLS{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
}

func tlsClient(t *testing.T, c *tls.Config, http2 bool) *http.Client {
	tr := &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: http2, DisableKeepAlives: !http2}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 10 * time.Second}
}

func TestTLSOverHTTP1AndHTTP2(t *testing.T) {
	ca, f := newIssuer(t, "ca"), files(t)
	cert, key := ca.issue(t, "server")
	write(t, f.Cert, cert)
	write(t, f.Key, key)
	l := start(t, Config{TLS: &f}, quiet, component.Route{Path: "/", Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := NewBody(w, r)
		defer body.Done()
		io.WriteString(w, r.Proto)
		io.Copy(w, &body)
	})})
	for _, http2 := range []bool{false, true} {
		c := tlsClient(t, &tls.Config{RootCAs: ca.pool()}, http2)
		want := map[bool]string{false: "HTTP/1.1 hello", true: "HTTP/2.0 hello"}[http2]
		if _, body := get(t, c, "POST", "https://"+l.Addr().String(), " hello"); body != want {
			t.Errorf("got %q, want %q", body, want)
		}
	}
}

func TestClientCA(t *testing.T) {
	ca, partners, strangers, f := newIssuer(t, "ca"), newIssuer(t, "partners"), newIssuer(t, "strangers"), files(t)
	cert, key := ca.issue(t, "server")
	write(t, f.Cert, cert)
	write(t, f.Key, key)
	f.ClientCA = filepath.Join(filepath.Dir(f.Cert), "ca.pem")
	write(t, f.ClientCA, partners.pem())
	l := start(t, Config{TLS: &f}, quiet, component.Route{Path: "/", Handler: say("welcome")})
	for _, by := range []*issuer{partners, strangers, nil} {
		config := &tls.Config{RootCAs: ca.pool()}
		if by != nil {
			cert, key := by.issue(t, "partner")
			pair, err := tls.X509KeyPair(cert, key)
			if err != nil {
				t.Fatal(err)
			}
			config.Certificates = []tls.Certificate{pair}
		}
		res, err := tlsClient(t, config, false).Get("https://" + l.Addr().String())
		if err == nil {
			res.Body.Close()
		}
		if (err == nil) != (by == partners) {
			t.Errorf("signed by %v: %v", by, err)
		}
	}
}

func TestCertificateIsReread(t *testing.T) {
	ca, f := newIssuer(t, "ca"), files(t)
	cert, key := ca.issue(t, "first")
	write(t, f.Cert, cert)
	write(t, f.Key, key)
	var log strings.Builder
	k, err := openKeyring(f, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	k.now = func() time.Time { return now }
	name := func() string {
		t.Helper()
		return k.current().config.Certificates[0].Leaf.Subject.CommonName
	}
	expect := func(when, want string) {
		t.Helper()
		if got := name(); got != want {
			t.Errorf("%s: certificate %q, want %q", when, got, want)
		}
	}

	cert, key = ca.issue(t, "second")
	write(t, f.Cert, cert)
	expect("within the second", "first")
	now = now.Add(recheck)
	expect("with only one file of the pair", "first")
	write(t, f.Key, key)
	now = now.Add(recheck)
	expect("with both", "second")

	write(t, f.Cert, []byte("rubbish"))
	for range 3 {
		now = now.Add(recheck)
		expect("with a broken file", "second")
	}
	if err := os.Remove(f.Cert); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		now = now.Add(recheck)
		expect("with no file", "second")
	}
	cert, key = ca.issue(t, "third")
	write(t, f.Cert, cert)
	write(t, f.Key, key)
	now = now.Add(recheck)
	expect("at last", "third")
	if failures, reread := strings.Count(log.String(), "level=ERROR"), strings.Count(log.String(), "level=INFO"); failures != 3 || reread != 2 {
		t.Errorf("%d failures and %d rereads in the log, want 3 and 2:\n%s", failures, reread, &log)
	}
}

func TestFaultyCertificate(t *testing.T) {
	ca, f := newIssuer(t, "ca"), files(t)
	open := func(f TLS) string {
		_, err := Open(Config{Name: "listener.http.test", Address: "127.0.0.1:0", TLS: &f}, quiet)
		if err == nil {
			t.Fatal("it was taken")
		}
		return err.Error()
	}
	if got := open(f); !strings.Contains(got, "read certificate: stat "+f.Cert) {
		t.Error(got)
	}
	cert, key := ca.issue(t, "server")
	write(t, f.Cert, cert)
	write(t, f.Key, []byte("rubbish"))
	if got := open(f); !strings.Contains(got, "read certificate "+f.Cert+" with key "+f.Key+": tls: failed to find any PEM data in key input") {
		t.Error(got)
	}
	write(t, f.Key, key)
	f.ClientCA = f.Key
	if got := open(f); !strings.Contains(got, "it holds no PEM certificate") {
		t.Error(got)
	}
}
