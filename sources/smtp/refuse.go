package smtp

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// answer is what a sender is told.
func answer(code int, class, subject, detail int, text string) *smtp.SMTPError {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{class, subject, detail}, Message: text}
}

// refused counts what was turned away, and remembers it for the status.
func (s *source) refused(peer netip.Addr, text string) {
	s.intake.Refused(1)
	last := fmt.Sprintf("%s: %s (%s)", peer, text, s.env.Now().Format(time.TimeOnly+"Z"))
	s.refusal.Store(&last)
	s.env.Log.Debug("refused", "peer", peer, "answer", text)
}

// cutOff counts a peer that was not worth an answer.
func (s *source) cutOff(peer netip.Addr, why string) {
	s.refused(peer, "cut off: "+why)
	s.quiet.log(s.env.Log, slog.LevelWarn, "a peer was cut off", "peer", peer, "reason", why)
}

// quiet logs what strangers can cause, a line in ten seconds at most.
type quiet struct {
	mu      sync.Mutex
	next    time.Time
	skipped int
}

func (q *quiet) log(log *slog.Logger, level slog.Level, text string, args ...any) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	if now.Before(q.next) {
		q.skipped++
		return
	}
	if q.skipped > 0 {
		args = append(args, "not_logged", q.skipped)
	}
	q.next, q.skipped = now.Add(10*time.Second), 0
	log.Log(context.Background(), level, text, args...)
}
