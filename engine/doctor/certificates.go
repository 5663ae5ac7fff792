package doctor

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/syncd/syncd/engine/component"
)

// expiresSoon is how long before its end a certificate is worth a warning.
const expiresSoon = 30 * 24 * time.Hour

// checkCertificates looks at those of listeners and of components.
func (e *exam) checkCertificates() {
	if e.cfg == nil {
		return
	}
	for _, l := range e.cfg.Listeners {
		if l.TLS != nil {
			e.checkPair(l.Address, l.TLS.Cert, l.TLS.Key)
			e.checkAuthorities(l.Address, l.TLS.ClientCA)
		}
	}
	for _, c := range e.components() {
		if w, ok := c.Config.(component.Certified); ok {
			for _, f := range w.Certificates() {
				e.checkPair(c.Address, f.Cert, f.Key)
				e.checkAuthorities(c.Address, f.CA)
			}
		}
	}
}

// checkPair looks at a certificate, which stands first in its file, and its key.
func (e *exam) checkPair(addr component.Address, cert, key string) {
	const check = "certificate"
	if cert == "" {
		return
	}
	for _, path := range []string{cert, key} {
		if err := e.who.may(path, mayRead); err != nil {
			e.fail(check, fmt.Sprintf("%s: %s may not read %s: %v", addr, e.who.name, path, cause(err)),
				"Give a group of its the right: chgrp and chmod g+r"+e.group()+".")
			return
		}
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	switch {
	case errors.Is(err, os.ErrPermission):
		e.warn(check, fmt.Sprintf("%s: %s cannot be looked at by this user", addr, key), "Run syncd doctor as root.")
	case err != nil:
		e.fail(check, fmt.Sprintf("%s: %s and %s: %v", addr, cert, key, err), "Both must be PEM, and belong together.")
	default:
		e.add(validity(addr, cert, pair.Leaf, e.Now))
	}
}

// checkAuthorities looks at a file of authorities; each in it must be valid.
func (e *exam) checkAuthorities(addr component.Address, path string) {
	const check = "certificate"
	if path == "" {
		return
	}
	rest, err := os.ReadFile(path)
	if err != nil {
		e.fail(check, fmt.Sprintf("%s: %v", addr, err), "Mend the path, or who may read it.")
		return
	}
	worst := Finding{Level: Error, Check: check, Text: fmt.Sprintf("%s: %s holds no PEM certificate", addr, path), Advice: "Convert it: openssl x509 -inform der."}
	for n := 0; ; n++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		f := Finding{Error, check, fmt.Sprintf("%s: a certificate in %s cannot be read", addr, path), "Take it out, or mend it."}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil {
			f = validity(addr, path, c, e.Now)
		}
		if n == 0 || worse(f.Level, worst.Level) {
			worst = f
		}
	}
	e.add(worst)
}

func worse(a, b Level) bool {
	rank := map[Level]int{OK: 0, Warning: 1, Error: 2}
	return rank[a] > rank[b]
}

// validity judges a certificate's dates.
func validity(addr component.Address, path string, c *x509.Certificate, now time.Time) Finding {
	const check = "certificate"
	day := func(t time.Time) string { return t.UTC().Format(time.DateOnly) }
	left := c.NotAfter.Sub(now)
	switch {
	case now.Before(c.NotBefore):
		return Finding{Error, check, fmt.Sprintf("%s: %s is valid only from %s on", addr, path, day(c.NotBefore)), "Is the clock right?"}
	case left <= 0:
		return Finding{Error, check, fmt.Sprintf("%s: %s has expired on %s", addr, path, day(c.NotAfter)), "Renew it; a listener takes the new one up by itself."}
	case left < expiresSoon:
		return Finding{Warning, check, fmt.Sprintf("%s: %s expires in %d days, on %s", addr, path, int(left.Hours()/24), day(c.NotAfter)), "Renew it; a listener takes the new one up by itself."}
	}
	return Finding{OK, check, fmt.Sprintf("%s: %s is valid until %s", addr, path, day(c.NotAfter)), ""}
}

// cause is an error without the path that is named beside it.
func cause(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
