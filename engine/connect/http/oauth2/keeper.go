package oauth2

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/syncd/syncd/engine/component"
)

// keeper remembers a refresh token that the server has rotated. It is sealed by a key
// made from the one in the configuration: the state directory alone does not give it
// away, and with another one in the configuration it is as good as gone.
type keeper struct {
	cfg     *Config
	store   component.Store
	unsaved *answer // holds a refresh token that is not on disk yet
}

const stateKey = "oauth2"

// sealed is what is stored.
type sealed struct {
	RefreshToken []byte `json:"refresh_token"` // nonce and ciphertext
}

// lock keeps others from using the token at the same time: two uses of one that
// rotates look like theft.
func (k *keeper) lock(ctx context.Context) (unlock func(), err error) {
	if k.store == nil {
		return nil, errors.New("a refresh token is used by a running daemon only: nothing here could keep the next one")
	}
	return k.store.Lock(ctx)
}

// load gives the token to use: the one that is kept, else that of the configuration.
func (k *keeper) load(ctx context.Context) (string, error) {
	var kept sealed
	found, err := k.store.Get(ctx, stateKey, &kept)
	if err != nil {
		return "", fmt.Errorf("read the refresh token that is kept: %w", err)
	}
	if found {
		if token, err := k.open(kept.RefreshToken); err == nil {
			return token, nil
		}
	}
	return k.cfg.RefreshToken.Reveal(), nil
}

// save stores what is not stored yet.
func (k *keeper) save(ctx context.Context) error {
	box, err := k.seal(k.unsaved.refresh)
	if err != nil {
		return err
	}
	if err := k.store.Set(ctx, []component.Put{{Key: stateKey, Value: sealed{box}}}); err != nil {
		return fmt.Errorf("keep the new refresh token, which was not used yet: %w", err)
	}
	k.unsaved = nil
	return nil
}

func (k *keeper) seal(token string) ([]byte, error) {
	aead, err := k.cipher()
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	return aead.Seal(nonce, nonce, []byte(token), k.context()), nil
}

func (k *keeper) open(box []byte) (string, error) {
	aead, err := k.cipher()
	if err != nil {
		return "", err
	}
	n := aead.NonceSize()
	if len(box) < n {
		return "", errors.New("too short")
	}
	token, err := aead.Open(nil, box[:n], box[n:], k.context())
	return string(token), err
}

func (k *keeper) cipher() (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, []byte(k.cfg.RefreshToken.Reveal()), nil, "syncd refresh token", 32)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make a cipher: %w", err)
	}
	return cipher.NewGCM(block)
}

// context is what the token is good for, and nothing else.
func (k *keeper) context() []byte { return []byte(k.cfg.TokenURL + "\n" + k.cfg.ClientID) }
