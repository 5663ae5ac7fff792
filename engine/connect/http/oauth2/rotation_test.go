package oauth2

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncd/syncd/engine/component"
)

// strict rotates: a refresh token is good once, and one that comes twice is theft.
type strict struct {
	mu    sync.Mutex
	valid string
	n     int
}

func (s *strict) answer(_ int, a asked) (int, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.Fields["refresh_token"] != s.valid {
		s.valid = ""
		return 400, `{"error":"invalid_grant"}`
	}
	s.n++
	s.valid = fmt.Sprintf("refresh-%d", s.n)
	return 200, fmt.Sprintf(`{"access_token":"token-%d","refresh_token":%q,"expires_in":3600}`, s.n, s.valid)
}

func TestRotatedTokenOutlivesTheProcess(t *testing.T) {
	issues := &strict{valid: "refresh-0"}
	i, store := &issuer{answer: issues.answer}, newMemory()
	for n := 1; n <= 5; n++ {
		s := source(t, config(rotating), i, store)
		if got := header(t, s, nil); got != fmt.Sprintf("Bearer token-%d", n) {
			t.Fatal(got)
		}
		s.Close()
	}
	if text := string(store.values[stateKey]); strings.Contains(text, "refresh-") {
		t.Errorf("in the clear: %s", text)
	}
	// Another secret of the client changes nothing, another refresh token all.
	another := config(rotating)
	another.ClientSecret = component.NewSecret("changed")
	if got := header(t, source(t, another, i, store), nil); got != "Bearer token-6" {
		t.Fatal(got)
	}
	issues.valid = "new-0"
	another.RefreshToken = component.NewSecret("new-0")
	if got := header(t, source(t, another, i, store), nil); got != "Bearer token-7" {
		t.Fatal(got)
	}
	if got := header(t, source(t, another, i, store), nil); got != "Bearer token-8" {
		t.Fatal(got)
	}
}

// While it cannot be stored nothing is done with what came with it, and it is not
// asked for anything else either.
func TestRotatedTokenIsStoredBeforeUse(t *testing.T) {
	issues := &strict{valid: "refresh-0"}
	i, store := &issuer{answer: issues.answer}, newMemory()
	s := source(t, config(rotating), i, store)
	store.fail(errors.New("disk full"))
	for range 3 {
		if _, err := s.Token(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "keep the new refresh token, which was not used yet: disk full") {
			t.Fatal(err)
		}
		s.mu.Lock()
		s.again = time.Time{}
		s.mu.Unlock()
	}
	store.fail(nil)
	if got := header(t, s, nil); got != "Bearer token-1" || i.count() != 1 {
		t.Errorf("%s after %d requests", got, i.count())
	}
	if got := header(t, source(t, config(rotating), i, store), nil); got != "Bearer token-2" {
		t.Error(got)
	}
}

// Before and after a reload a connection may be in use twice: no token is sent twice.
func TestTwoOfOneAddressTakeTurns(t *testing.T) {
	issues := &strict{valid: "refresh-0"}
	i, store := &issuer{answer: issues.answer, delay: time.Millisecond}, newMemory()
	var wg sync.WaitGroup
	for range 8 {
		s := source(t, config(rotating), i, store)
		wg.Go(func() {
			for range 5 {
				token, err := s.Token(t.Context(), nil)
				if err != nil {
					t.Error(err)
					return
				}
				s.Token(t.Context(), token)
			}
		})
	}
	wg.Wait()
}

func TestSealIsBoundToItsUse(t *testing.T) {
	k := keeper{cfg: config(rotating)}
	box, err := k.seal("refresh-1")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.open(box); got != "refresh-1" || err != nil {
		t.Error(got, err)
	}
	other := keeper{cfg: config(func(c *Config) { rotating(c); c.TokenURL = "https://elsewhere.example/token" })}
	for _, wrong := range []struct {
		keeper keeper
		box    []byte
	}{{other, box}, {k, box[:5]}, {k, nil}, {k, bytes.Repeat([]byte{1}, 40)}} {
		if got, err := wrong.keeper.open(wrong.box); err == nil {
			t.Errorf("opened: %q", got)
		}
	}
}

func TestNoStore(t *testing.T) {
	if _, err := source(t, config(rotating), &issuer{answer: numbered}, nil).Token(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "running daemon") {
		t.Error(err)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"access_token":"t","token_type":"bearer","expires_in":"60","refresh_token":"r"}`))
	f.Add([]byte(`{"error":"x"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := parse(body, time.Now())
		if err == nil && (strings.ContainsAny(a.token.Header, "\r\n\x00") || len(a.token.Value) > longestToken) {
			t.Errorf("%q", a.token.Header)
		}
	})
}
