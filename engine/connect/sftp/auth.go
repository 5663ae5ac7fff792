package sftp

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/crypto/ssh"
)

// methods are the ways to log in, in the order in which they are tried. A server that
// wants several of them gets them one after the other.
func (c *Config) methods() ([]ssh.AuthMethod, error) {
	var methods []ssh.AuthMethod
	if c.PrivateKey.IsSet() {
		signers, err := c.signers()
		if err != nil {
			return nil, fmt.Errorf("read private_key: %w", err)
		}
		methods = append(methods, ssh.PublicKeys(signers...))
	}
	if c.Password.IsSet() {
		methods = append(methods, ssh.Password(c.Password.Reveal()), ssh.KeyboardInteractive(c.answer))
	}
	return methods, nil
}

// answer gives the password to questions whose answer is not shown on a screen, and
// the user's name to the others (RFC 4256).
func (c *Config) answer(_, _ string, _ []string, echos []bool) ([]string, error) {
	answers := make([]string, len(echos))
	for i, echo := range echos {
		if answers[i] = c.Password.Reveal(); echo {
			answers[i] = c.User
		}
	}
	return answers, nil
}

var errCertificate = errors.New("certificate")

// signers are the certificate, if there is one, and the key alone.
func (c *Config) signers() ([]ssh.Signer, error) {
	key, err := c.parseKey()
	if err != nil {
		return nil, err
	}
	if c.Certificate == "" {
		return []ssh.Signer{key}, nil
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey([]byte(c.Certificate))
	if err != nil {
		return nil, fmt.Errorf("%w does not parse; it is one line that begins with ssh-ed25519-cert-v01@openssh.com or the like", errCertificate)
	}
	cert, ok := public.(*ssh.Certificate)
	switch {
	case !ok:
		return nil, fmt.Errorf("%w is a plain public key; the certificate is in the file that ends in -cert.pub", errCertificate)
	case cert.CertType != ssh.UserCert:
		return nil, fmt.Errorf("%w is one of a host", errCertificate)
	case !bytes.Equal(cert.Key.Marshal(), key.PublicKey().Marshal()):
		return nil, fmt.Errorf("%w belongs to the key %s, private_key is %s", errCertificate, ssh.FingerprintSHA256(cert.Key), ssh.FingerprintSHA256(key.PublicKey()))
	}
	certified, err := ssh.NewCertSigner(cert, key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errCertificate, err)
	}
	return []ssh.Signer{certified, key}, nil
}

func (c *Config) parseKey() (ssh.Signer, error) {
	text := []byte(c.PrivateKey.Reveal())
	if !bytes.HasSuffix(text, []byte("\n")) { // which editors and secret stores strip
		text = append(text, '\n')
	}
	if !c.Passphrase.IsSet() {
		return ssh.ParsePrivateKey(text)
	}
	signer, err := ssh.ParsePrivateKeyWithPassphrase(text, []byte(c.Passphrase.Reveal()))
	if err != nil {
		if plain, plainErr := ssh.ParsePrivateKey(text); plainErr == nil { // it needs none
			return plain, nil
		}
	}
	return signer, err
}
