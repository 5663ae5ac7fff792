package http

import (
	"context"
	"crypto/tls"
	"errors"
	nethttp "net/http"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/connect/peer"
)

// classify marks errors that no other delivery would be spared.
func classify(err error) error {
	if errors.Is(err, errProxyRefuses) || errors.Is(err, nethttp.ErrSchemeMismatch) {
		return component.Unwell(err)
	}
	return peer.Classify(err)
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
