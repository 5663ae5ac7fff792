package http

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	nethttp "net/http"

	"github.com/syncd/syncd/engine/component"
)

// classify marks errors that no other delivery would be spared: names that do not
// resolve, certificates that do not convince. Everything else (refused, reset,
// timed out) may pass.
func classify(err error) error {
	if isDNS(err) || isTLS(err) || errors.Is(err, errProxyRefuses) {
		return component.Unwell(err)
	}
	return err
}

func isDNS(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns)
}

func isTLS(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		authority    x509.UnknownAuthorityError
		record       tls.RecordHeaderError
		op           *net.OpError
	)
	return errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &record) ||
		errors.Is(err, nethttp.ErrSchemeMismatch) ||
		errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error") // a TLS alert, theirs or ours
}

// describe puts into words what net/http tells in its own way.
func describe(err error) string {
	var record tls.RecordHeaderError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, nethttp.ErrSchemeMismatch), errors.As(err, &record):
		return "the server does not speak TLS; is it http:// instead of https://?"
	}
	return err.Error()
}
