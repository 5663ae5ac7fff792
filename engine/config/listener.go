package config

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"github.com/syncd/syncd/engine/component"
)

type listenerConfig struct {
	Address        string         `hcl:"address,required" doc:"Host and port to listen on." example:"\"127.0.0.1:8080\""`
	TrustedProxies []netip.Prefix `hcl:"trusted_proxies" doc:"Proxies in front of it: their X-Forwarded-For says who the client is." example:"[\"10.0.0.0/8\"]"`
	TLS            *tlsConfig     `hcl:"tls,block" doc:"Certificate and key; without it, plain HTTP."`
}

type tlsConfig struct {
	Cert     string `hcl:"cert,required" path:"file" doc:"File of the certificate with its chain, PEM." example:"\"/etc/ssl/hook.pem\""`
	Key      string `hcl:"key,required" path:"file" doc:"File of the private key, PEM." example:"\"/etc/ssl/hook.key\""`
	ClientCA string `hcl:"client_ca" path:"file" doc:"File of authorities, PEM: only clients with a certificate of theirs may connect." example:"\"/etc/ssl/partners.pem\""`
}

// Validate checks the address.
func (c *listenerConfig) Validate(p *component.Problems) {
	host, port, err := net.SplitHostPort(c.Address)
	if err != nil {
		p.Error("address", fmt.Sprintf("invalid address %q", c.Address), `Write host and port: "127.0.0.1:8080", "[::1]:8080", or ":8080" for all interfaces.`)
		return
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		p.Error("address", fmt.Sprintf("invalid port %q", port), "A port is a number up to 65535.")
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && host != "localhost" {
		p.Error("address", fmt.Sprintf("invalid host %q", host), "Listen on an IP address of this machine, on localhost, or on all interfaces by leaving the host out.")
	}
}

// Claims keeps two listeners off one address; port 0 is a new one each time.
func (c *listenerConfig) Claims() []component.Claim {
	if _, port, _ := net.SplitHostPort(c.Address); port == "0" {
		return nil
	}
	return []component.Claim{{Attr: "address", What: "address " + c.Address}}
}

// What a source listens on where no listener is declared.
const (
	impliedListener = component.Address("listener.http.default")
	impliedAddress  = "127.0.0.1:8080"
)

func (l *loader) decodeListeners() {
	for i := range l.blocks["listener"] {
		d := &l.blocks["listener"][i]
		if kind := d.block.Labels[0]; kind != "http" {
			l.error(d.file.at(d.block.LabelRanges[0]), fmt.Sprintf("unknown listener %q", kind), kindsHint("listener", []string{"http"})+line(suggest(kind, []string{"http"})))
			continue
		}
		if l.index[d.address] == d {
			l.listeners = append(l.listeners, d.address)
		}
		var cfg listenerConfig
		dec := l.decoding(d.file, "in "+blockName(d.block))
		dec.block(d.block, "", &cfg)
		dec.validate()
		dec.claim(d.address)
		l.config.Listeners = append(l.config.Listeners, newListener(d, cfg))
	}
}

func newListener(d *declared, cfg listenerConfig) *Listener {
	n := &Listener{Address: d.address, Listen: cfg.Address, TrustedProxies: cfg.TrustedProxies, Place: d.place()}
	if cfg.TLS != nil {
		n.TLS = &TLS{Cert: cfg.TLS.Cert, Key: cfg.TLS.Key, ClientCA: cfg.TLS.ClientCA}
	}
	return n
}

// onlyListener is the listener of a component that names none: the one declared,
// or, where none is, the implied one, which then becomes part of the configuration.
func (l *loader) onlyListener(dec *decoding, d *declared) (component.Address, bool) {
	switch n := len(l.listeners); {
	case n == 1:
		l.referred[l.listeners[0]] = true
		return l.listeners[0], true
	case n > 1:
		at := d.spot()
		at.context = dec.context
		dec.error(at, `missing attribute "listener"`, fmt.Sprintf("There are several listeners, so that it must name one: listener = %s.", either(l.addresses([]string{"listener"}))))
		return "", false
	}
	if len(l.config.Listeners) == 0 {
		l.config.Listeners = append(l.config.Listeners, &Listener{Address: impliedListener, Listen: impliedAddress, Place: "no listener is declared"})
	}
	return impliedListener, true
}
