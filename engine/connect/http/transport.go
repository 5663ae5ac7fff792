package http

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	nethttp "net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// idlePerHost bounds the idle connections kept: as many as any sensible
// concurrency uses at a time, since each new one costs a handshake.
const idlePerHost = 256

// newTransport speaks HTTP/1.1 only: with a connection for each request at a time
// no request waits for another's, and what goes wrong in a handshake is told as it is.
func newTransport(cfg *Config) (*nethttp.Transport, error) {
	t := &nethttp.Transport{
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxIdleConnsPerHost:    idlePerHost,
		MaxConnsPerHost:        cfg.Concurrency,
		IdleConnTimeout:        90 * time.Second,
		DisableCompression:     true, // answers are short; asking for gzip costs more than it saves
		MaxResponseHeaderBytes: 256 << 10,
		WriteBufferSize:        16 << 10, // head and body of most events in one write
		OnProxyConnectResponse: proxyAnswer,
	}
	if err := setTLS(t, cfg.TLS); err != nil {
		return nil, err
	}
	switch {
	case cfg.Proxy.IsSet():
		u, wrong := parseProxy(cfg.Proxy.Reveal())
		if wrong != "" {
			return nil, fmt.Errorf("parse proxy: %s", wrong)
		}
		t.Proxy = nethttp.ProxyURL(u)
	case proxyInEnvironment():
		t.Proxy = nethttp.ProxyFromEnvironment
	}
	return t, nil
}

// proxyInEnvironment spares each request the look-up where there is nothing to find.
func proxyInEnvironment() bool {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY"} {
		if os.Getenv(name) != "" || os.Getenv(strings.ToLower(name)) != "" {
			return true
		}
	}
	return false
}

func setTLS(t *nethttp.Transport, files *TLS) error {
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if files == nil {
		return nil
	}
	if files.CA != "" {
		pem, err := os.ReadFile(files.CA)
		if err != nil {
			return fmt.Errorf("read tls.ca: %w", err)
		}
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("read tls.ca: %s holds no PEM certificate", files.CA)
		}
	}
	if files.Cert != "" {
		cert, err := tls.LoadX509KeyPair(files.Cert, files.Key)
		if err != nil {
			return fmt.Errorf("read tls.cert and tls.key: %w", err)
		}
		t.TLSClientConfig.Certificates = []tls.Certificate{cert}
	}
	return nil
}

var errProxyRefuses = errors.New("the proxy does not accept our credentials")

func proxyAnswer(_ context.Context, _ *url.URL, _ *nethttp.Request, resp *nethttp.Response) error {
	if resp.StatusCode == nethttp.StatusProxyAuthRequired {
		return errProxyRefuses
	}
	return nil
}
