package doctor

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/unit"
)

// now is the time of all examinations here.
var now = time.Now()

// part is a component of the tests: a sink that writes to Dir, a connection that
// reaches its peer or does not.
type part struct {
	Dir  string `hcl:"dir" doc:"Where it writes to."`
	Fail string `hcl:"fail" doc:"Why its peer cannot be reached."`
	Cert string `hcl:"cert" doc:"Its certificate."`
	CA   string `hcl:"ca" doc:"Its authorities."`
}

func (p *part) Directories() []string {
	if p.Dir == "" {
		return nil
	}
	return []string{p.Dir}
}

func (p *part) Certificates() []component.CertificateFiles {
	return []component.CertificateFiles{{Cert: p.Cert, Key: p.Cert, CA: p.CA}}
}

func (p *part) Check(context.Context) error {
	if p.Fail != "" {
		return errors.New(p.Fail)
	}
	return nil
}

func (p *part) Deliver(context.Context, []component.Delivery) component.Result {
	panic("the doctor delivers nothing")
}

func kinds() []component.Kind {
	none := func() *part { return &part{} }
	return []component.Kind{
		component.SinkKind("part", "For tests.", none, func(component.Env, *part) (component.Sink, error) {
			panic("the doctor opens no sinks")
		}),
		component.ConnectionKind("part", "For tests.", none, func(_ component.Env, p *part) (*part, error) { return p, nil }),
	}
}

// examine runs the doctor on a configuration whose state directory is DIR/state;
// DIR in it is its own directory. service, if not "", is the unit's [Service].
func examine(t *testing.T, dir, conf, service string) []Finding {
	t.Helper()
	o := Options{
		Config: filepath.Join(dir, "c.hcl"), Kinds: kinds(), Now: now,
		LookupEnv: func(string) (string, bool) { return "", false },
		Dial: func(ctx context.Context, stateDir string) (*admin.Client, error) {
			return admin.Dial(ctx, admin.Places("", stateDir))
		},
	}
	if !strings.Contains(conf, "state_dir") {
		conf += "\ndaemon { state_dir = \"DIR/state\" }\n"
	}
	write(t, o.Config, strings.ReplaceAll(conf, "DIR", dir))
	if service != "" {
		path := filepath.Join(dir, "syncd.service")
		write(t, path, "[Service]\n"+strings.ReplaceAll(service, "DIR", dir))
		u, err := unit.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		o.Unit = u
	}
	return Run(t.Context(), o)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// open is a directory that every user can reach.
func open(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// want fails unless there is such a finding; DIR is dir.
func want(t *testing.T, found []Finding, dir string, l Level, check, text, advice string) {
	t.Helper()
	text, advice = strings.ReplaceAll(text, "DIR", dir), strings.ReplaceAll(advice, "DIR", dir)
	if !slices.ContainsFunc(found, func(f Finding) bool {
		return f.Level == l && f.Check == check && strings.Contains(f.Text, text) && strings.Contains(f.Advice, advice)
	}) {
		t.Errorf("no %s of %s with %q and %q in", l, check, text, advice)
		for _, f := range found {
			t.Logf("%+v", f)
		}
	}
}

// No check but those of this machine's clock and limits may find anything.
func TestAllIsWell(t *testing.T) {
	dir := open(t)
	found := examine(t, dir, `sink "part" "p" { dir = "DIR/out" }
connection "part" "c" {}
daemon {
  state_dir = "DIR/state"
  journal { max_size = "64MiB" }
}`, "")
	for _, f := range found {
		if f.Level == Error || f.Level == Warning && f.Check != "clock" && f.Check != "descriptors" && f.Check != "daemon" && f.Check != "configuration" {
			t.Errorf("%+v", f)
		}
	}
	want(t, found, dir, OK, "output", "sink.part.p can write to DIR/out, which it will make in DIR", "")
	want(t, found, dir, OK, "peer", "connection.part.c answers", "")
	want(t, found, dir, OK, "state", "DIR/state is not there yet", "")
	want(t, found, dir, Warning, "daemon", "it does not run", "")
}

func TestBrokenConfiguration(t *testing.T) {
	dir := open(t)
	found := examine(t, dir, "sink \"part\" \"p\" { dirr = \"x\" }\nsink \"part\" \"q\" { dirr = \"x\" }", "")
	want(t, found, dir, Error, "configuration", `c.hcl:1: unknown attribute "dirr" (and 1 more)`, "syncd validate -c DIR/c.hcl")
	want(t, found, dir, OK, "descriptors", "", "") // what needs no configuration is still checked
}

// What the unit forbids comes with the line that allows it.
func TestUnitForbids(t *testing.T) {
	dir := open(t)
	conf := `sink "part" "a" { dir = "/srv/a/b" }
sink "part" "h" { dir = "/home/nobody/x" }
sink "part" "t" { dir = "/var/tmp/x" }
sink "part" "s" { dir = "/var/lib/syncd-doctor-test/x" }
daemon { state_dir = "/var/lib/syncd-doctor-test" }
`
	found := examine(t, dir, conf, `ExecStart=/bin/sh
DynamicUser=yes
ProtectSystem=strict
ProtectHome=yes
StateDirectory=syncd-doctor-test
`)
	want(t, found, dir, Error, "output", "syncd.service keeps sink.part.h from /home/nobody/x", "ProtectHome=read-only\nReadWritePaths=/home/nobody/x")
	want(t, found, dir, Warning, "output", "/var/tmp/x, which is a private one", "")
	want(t, found, dir, OK, "output", "sink.part.s can write to /var/lib/syncd-doctor-test/x", "")
	want(t, found, dir, OK, "state", "/var/lib/syncd-doctor-test is not there yet; systemd makes it", "")
	want(t, found, dir, OK, "unit", "DIR/syncd.service", "")
	want(t, found, dir, Error, "output", "syncd.service keeps sink.part.a from /srv/a/b", "\nReadWritePaths=/srv/a/b")
}

// A unit without PrivateTmp=, whose user may write or not.
func TestUnitsUserMayNot(t *testing.T) {
	dir := open(t)
	for name, mode := range map[string]os.FileMode{"closed": 0o755, "open": 0o777} {
		path := filepath.Join(dir, name)
		if err := os.Mkdir(path, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	found := examine(t, dir, "sink \"part\" \"a\" { dir = \"DIR/closed\" }\nsink \"part\" \"b\" { dir = \"DIR/open\" }\nsink \"part\" \"c\" { dir = \"DIR/locked\" }",
		"ExecStart=/bin/sh\nUser=daemon\nReadOnlyPaths=DIR/locked\n")
	want(t, found, dir, Error, "output", "daemon may not write to DIR/closed, where sink.part.a does", "SupplementaryGroups=")
	want(t, found, dir, OK, "output", "sink.part.b can write to DIR/open", "")
	want(t, found, dir, Error, "output", "syncd.service keeps sink.part.c from DIR/locked", "Make DIR/locked")
	want(t, found, dir, Error, "output", "syncd.service keeps sink.part.c from DIR/locked", "\nReadWritePaths=DIR/locked")
	want(t, found, dir, Error, "state", "DIR/state is not there, and daemon may not make it in DIR", "")
}

func TestUnitThatCannotStart(t *testing.T) {
	dir := open(t)
	found := examine(t, dir, "", "ExecStart=/nowhere/syncd run\nReadWritePaths=DIR/none -DIR/optional\nLoadCredential=shop:DIR/secret\n")
	want(t, found, dir, Error, "unit", "ReadWritePaths=DIR/none is not there", "")
	want(t, found, dir, Error, "unit", "there is no program at /nowhere/syncd", "")
	want(t, found, dir, Error, "credential", "DIR/secret of LoadCredential=shop is not there", "chmod 600")
	for _, f := range found {
		if strings.Contains(f.Text, "optional") {
			t.Errorf("%+v", f)
		}
	}
}

// The unit's credentials and variables are those of the configuration.
func TestUnitsCredentials(t *testing.T) {
	dir := open(t)
	write(t, filepath.Join(dir, "secret"), "s3cret")
	conf := "variable \"site\" {}\nsecret \"s\" { value = credential(\"shop\") }\nsink \"part\" \"p\" { fail = var.site }\n"
	found := examine(t, dir, conf, "ExecStart=/bin/sh\nEnvironment=SYNCD_VAR_site=scl\nLoadCredential=shop:DIR/secret\n")
	for _, f := range found {
		if strings.Contains(f.Text, "credential") || strings.Contains(f.Text, "no value") {
			t.Errorf("%+v", f)
		}
	}
	want(t, found, dir, Warning, "configuration", "secret.s is not used (and 1 more)", "") // that and the sink
	found = examine(t, dir, conf, "ExecStart=/bin/sh\n")
	want(t, found, dir, Warning, "configuration", "variable site has no value (and 3 more)", "")
}

func TestPeers(t *testing.T) {
	dir := open(t)
	conf := "connection \"part\" \"good\" {}\nconnection \"part\" \"bad\" { fail = \"no route\" }\n"
	found := examine(t, dir, conf, "")
	want(t, found, dir, OK, "peer", "connection.part.good answers", "")
	want(t, found, dir, Error, "peer", "connection.part.bad cannot be reached: no route", "")
}

func TestListeners(t *testing.T) {
	dir := open(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	conf := fmt.Sprintf("listener \"http\" \"taken\" { address = %q }\nlistener \"http\" \"free\" { address = \"127.0.0.1:0\" }\n"+
		"listener \"http\" \"low\" { address = \"127.0.0.1:1\" }\nlistener \"http\" \"else\" { address = \"192.0.2.1:9999\" }\n", taken.Addr())
	found := examine(t, dir, conf, "ExecStart=/bin/sh\nUser=daemon\n")
	want(t, found, dir, Error, "listener", "listener.http.taken: "+taken.Addr().String()+" is taken", "ss -ltnp")
	want(t, found, dir, OK, "listener", "listener.http.free: 127.0.0.1:0 is free", "")
	want(t, found, dir, Error, "listener", "listener.http.else: 192.0.2.1:9999: this machine has no such address", "")
	if unprivileged() > 1 {
		want(t, found, dir, Error, "listener", "127.0.0.1:1 is a port below", "AmbientCapabilities=CAP_NET_BIND_SERVICE")
	}
}

// certificate writes a certificate that is valid from and until, with its key.
func certificate(t *testing.T, path string, from, until time.Time) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))+string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
}

func TestCertificates(t *testing.T) {
	dir := open(t)
	day := 24 * time.Hour
	for name, at := range map[string][2]time.Duration{"good": {-day, 90 * day}, "soon": {-day, 12*day + time.Hour}, "over": {-9 * day, -day}, "early": {day, 90 * day}} {
		certificate(t, filepath.Join(dir, name), now.Add(at[0]), now.Add(at[1]))
	}
	write(t, filepath.Join(dir, "none"), "no certificate")
	conf := `connection "part" "ca" { ca = "DIR/over" }
connection "part" "no_ca" { ca = "DIR/none" }
connection "part" "gone" { cert = "DIR/gone" }
`
	for _, name := range []string{"good", "soon", "over", "early"} {
		conf += fmt.Sprintf("connection \"part\" %q { cert = \"DIR/%s\" }\n", name, name)
	}
	conf += `listener "http" "mixed" {
  address = "127.0.0.1:0"
  tls {
    cert = "DIR/good"
    key  = "DIR/soon"
  }
}
`
	found := examine(t, dir, conf, "")
	want(t, found, dir, OK, "certificate", "connection.part.good: DIR/good is valid until", "")
	want(t, found, dir, Warning, "certificate", "connection.part.soon: DIR/soon expires in 12 days", "Renew")
	want(t, found, dir, Error, "certificate", "connection.part.over: DIR/over has expired on "+now.Add(-day).UTC().Format(time.DateOnly), "Renew")
	want(t, found, dir, Error, "certificate", "connection.part.early: DIR/early is valid only from", "clock")
	want(t, found, dir, Error, "certificate", "connection.part.ca: DIR/over has expired", "")
	want(t, found, dir, Error, "certificate", "connection.part.no_ca: DIR/none holds no PEM certificate", "openssl")
	want(t, found, dir, Error, "certificate", "may not read DIR/gone: no such file", "")
	want(t, found, dir, Error, "certificate", "listener.http.mixed: DIR/good and DIR/soon: tls: private key does not match", "")
}
