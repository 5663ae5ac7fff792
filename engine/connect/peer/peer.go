// Package peer tells what an error says of the other side of a connection.
package peer

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"

	"github.com/syncd/syncd/engine/component"
)

// Classify marks errors that no other delivery would be spared: names that do not
// resolve, certificates that do not convince. Everything else (refused, reset,
// timed out) may pass.
func Classify(err error) error {
	if IsDNS(err) || IsTLS(err) {
		return component.Unwell(err)
	}
	return err
}

// IsDNS tells whether a name could not be resolved.
func IsDNS(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns)
}

// IsTLS tells whether a TLS handshake failed.
func IsTLS(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		authority    x509.UnknownAuthorityError
		record       tls.RecordHeaderError
		op           *net.OpError
	)
	return errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &record) ||
		errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error") // a TLS alert, theirs or ours
}
