package smtp

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"

	"github.com/emersion/go-sasl"
)

// login is one who may log in. Only digests are compared, so that not even a length
// shows in the time that takes.
type login struct{ user, password [sha256.Size]byte }

func newLogin(a Auth) login {
	return login{sha256.Sum256([]byte(a.User)), sha256.Sum256([]byte(a.Password.Reveal()))}
}

// known tells whether user may log in with password.
func (s *source) known(user, password string) bool {
	u, p := sha256.Sum256([]byte(user)), sha256.Sum256([]byte(password))
	found := 0
	for _, l := range s.logins {
		found |= subtle.ConstantTimeCompare(l.user[:], u[:]) & subtle.ConstantTimeCompare(l.password[:], p[:])
	}
	return found == 1
}

// loginServer is AUTH LOGIN, an old draft that many devices know alone.
type loginServer struct {
	check func(user, password string) error
	user  *string
	asked bool
}

var _ sasl.Server = (*loginServer)(nil)

// Next asks for the user, then for the password.
func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	switch {
	case response == nil && l.asked:
		return nil, false, errors.New("an answer was expected")
	case response == nil:
		l.asked = true
		return []byte("Username:"), false, nil
	case l.user == nil:
		l.asked = true
		user := string(response)
		l.user = &user
		return []byte("Password:"), false, nil
	}
	return nil, true, l.check(*l.user, string(response))
}
