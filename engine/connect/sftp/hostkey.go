package sftp

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// hostKeys is what is known of the server's key. It is read for each connection, so
// that a line added to known_hosts counts at once.
type hostKeys struct {
	check ssh.HostKeyCallback
	// algorithms that we offer, those of keys we know first: a server with keys of
	// several types then shows one that can be compared.
	algorithms []string
}

func (c *Client) hostKeys() (*hostKeys, error) {
	if c.cfg.HostKey != "" {
		return c.fixedKey()
	}
	known, err := knownhosts.New(c.cfg.KnownHosts)
	if err != nil {
		return nil, fmt.Errorf("read known_hosts: %w", err)
	}
	first, err := c.knownAlgorithms(known)
	if err != nil {
		return nil, err
	}
	check := func(_ string, _ net.Addr, key ssh.PublicKey) error {
		return c.explainKey(key, known(c.address, noAddr, key))
	}
	return &hostKeys{check, prefer(first)}, nil
}

// noAddr: a host is known by the name by which we call it, not by where that leads.
var noAddr = &net.TCPAddr{IP: net.IPv4zero}

func (c *Client) fixedKey() (*hostKeys, error) {
	want, err := parseHostKey(c.cfg.HostKey)
	if err != nil {
		return nil, fmt.Errorf("read host_key: %w", err)
	}
	check := func(_ string, _ net.Addr, key ssh.PublicKey) error {
		if bytes.Equal(key.Marshal(), want.Marshal()) {
			return nil
		}
		return c.changed(key, []string{fmt.Sprintf("host_key is %s", fingerprint(want))})
	}
	return &hostKeys{check, prefer(algorithmsOf(want.Type()))}, nil
}

func parseHostKey(text string) (ssh.PublicKey, error) {
	key, _, _, rest, err := ssh.ParseAuthorizedKey([]byte(text))
	if err != nil {
		return nil, errors.New(`it is written as "ssh-ed25519 AAAA…": type and key, without the host's name`)
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("it is one key; several belong into a file for known_hosts")
	}
	return key, nil
}

// knownAlgorithms are those of the keys that known_hosts has for the server.
func (c *Client) knownAlgorithms(known ssh.HostKeyCallback) ([]string, error) {
	var list []string
	authority, err := c.hasAuthority()
	if err != nil {
		return nil, err
	}
	if authority {
		list = slices.DeleteFunc(supported(), func(a string) bool { return !strings.Contains(a, "-cert-") })
	}
	var unknown *knownhosts.KeyError
	if errors.As(known(c.address, noAddr, noKey{}), &unknown) {
		for _, k := range unknown.Want {
			list = append(list, algorithmsOf(k.Key.Type())...)
		}
	}
	return list, nil
}

// hasAuthority tells whether known_hosts names an authority for the server. Lines that
// do not parse are passed over, as they are by OpenSSH.
func (c *Client) hasAuthority() (bool, error) {
	text, err := os.ReadFile(c.cfg.KnownHosts)
	if err != nil {
		return false, fmt.Errorf("read known_hosts: %w", err)
	}
	name := knownhosts.Normalize(c.address)
	literal := strings.NewReplacer("[", `\[`, "]", `\]`) // an IPv6 address, or a host with a port
	for line := range bytes.Lines(text) {
		marker, hosts, _, _, _, err := ssh.ParseKnownHosts(line)
		if err == nil && marker == "cert-authority" && slices.ContainsFunc(hosts, func(pattern string) bool {
			ok, _ := path.Match(literal.Replace(pattern), name)
			return ok
		}) {
			return true, nil
		}
	}
	return false, nil
}

// noKey is a key that no server has: asked for it, knownhosts tells which it knows.
type noKey struct{}

func (noKey) Type() string                        { return "none" }
func (noKey) Marshal() []byte                     { return []byte("none") }
func (noKey) Verify([]byte, *ssh.Signature) error { return errors.New("no key") }

func supported() []string { return slices.Clone(ssh.SupportedAlgorithms().HostKeys) }

// prefer puts first before all else that we can verify.
func prefer(first []string) []string {
	rest := slices.DeleteFunc(supported(), func(a string) bool {
		return slices.Contains(first, a) || strings.Contains(a, "-cert-")
	})
	return append(first, rest...)
}

// algorithmsOf are the signatures that a key of this type can make (RFC 8332).
func algorithmsOf(keyType string) []string {
	if keyType == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{keyType}
}

func fingerprint(key ssh.PublicKey) string {
	return fmt.Sprintf("%s (%s)", ssh.FingerprintSHA256(key), key.Type())
}

// explainKey says what to do about a key that known_hosts does not have.
func (c *Client) explainKey(key ssh.PublicKey, err error) error {
	var (
		wrong   *knownhosts.KeyError
		revoked *knownhosts.RevokedError
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &revoked):
		return distrust("the host key of %s, %s, is revoked by %s line %d", c.address, fingerprint(key), revoked.Revoked.Filename, revoked.Revoked.Line)
	case !errors.As(err, &wrong):
		return distrust("the host certificate of %s does not convince: %v", c.address, err)
	case len(wrong.Want) == 0:
		return distrust("%s does not know %s, which shows the host key %s; if the partner confirms this fingerprint, add the line: %s",
			c.cfg.KnownHosts, c.address, fingerprint(key), knownhosts.Line([]string{c.address}, key))
	}
	var have []string
	for _, k := range wrong.Want {
		have = append(have, fmt.Sprintf("%s line %d has %s", k.Filename, k.Line, fingerprint(k.Key)))
	}
	return c.changed(key, have)
}

func (c *Client) changed(key ssh.PublicKey, have []string) error {
	return distrust("the host key of %s has changed: %s, the server shows %s; somebody may stand between, so ask the partner before you trust the new key: %s",
		c.address, strings.Join(have, ", "), fingerprint(key), strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))))
}

// distrustError says why the server is not believed to be who it should be.
type distrustError struct{ text string }

func (e *distrustError) Error() string { return e.text }

func distrust(format string, args ...any) error {
	return &distrustError{fmt.Sprintf(format, args...)}
}
