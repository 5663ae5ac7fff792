package component

import "context"

// What `syncd doctor` asks of components and of their configurations, if they know.

// Checker is a connection that can tell whether its peer can be reached: names are
// resolved, a connection is made, certificates are verified. Nothing is asked of
// the peer.
type Checker interface {
	Check(ctx context.Context) error
}

// Certified is a configuration of a component that reads files of certificates.
type Certified interface{ Certificates() []CertificateFiles }

// CertificateFiles names PEM files, "" where there is none: a certificate with its
// key, and authorities that are trusted.
type CertificateFiles struct{ Cert, Key, CA string }

// Writer is a configuration of a component that writes to this machine's disk: the
// directories below which it makes files, absolute.
type Writer interface{ Directories() []string }
