// Package doctor looks for what commonly goes wrong with a configuration on a
// machine: what may not be written, what expires, who cannot be reached. It needs no
// running daemon, changes nothing, and says what to do.
package doctor

import (
	"context"
	"time"

	"github.com/syncd/syncd/engine/admin"
	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/unit"
)

// Level is how a check came out.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Warning Level = "warning" // it works, but look at it
	Error   Level = "error"   // it does not work, or soon will not
)

// Finding is the outcome of a check, one line each.
type Finding struct {
	Level  Level  `json:"level"`
	Check  string `json:"check"`            // "certificate"
	Text   string `json:"text"`             // what was found, with its subject
	Advice string `json:"advice,omitempty"` // what to do about it
}

// Options say what to look at.
type Options struct {
	Config    string // file or directory
	Kinds     []component.Kind
	Variables map[string]string // of --var
	LookupEnv func(string) (string, bool)
	// CredentialsDir holds what credential() reads, if this process has such.
	CredentialsDir string
	// Unit is the service that runs the configuration; nil: none, it is run by hand.
	Unit *unit.Unit
	// Dial looks for the running daemon. Errors: *admin.UnreachableError.
	Dial    func(ctx context.Context, stateDir string) (*admin.Client, error)
	Offline bool      // nothing is connected to
	Built   time.Time // when this program was made; zero: unknown
	Now     time.Time
}

// exam is what the checks share.
type exam struct {
	Options
	cfg    *config.Config // nil: it cannot be read
	daemon *admin.Status  // nil: none runs
	who    account
	found  []Finding
}

// Run makes all checks, in the order in which a person would.
func Run(ctx context.Context, o Options) []Finding {
	e := &exam{Options: o}
	e.checkConfiguration()
	e.checkDaemon(ctx)
	e.who = e.whoRuns()
	e.checkUnit()
	e.checkState()
	e.checkOutputs()
	e.checkCertificates()
	e.checkListeners(ctx)
	e.checkPeers(ctx)
	e.checkClock()
	e.checkDescriptors()
	return e.found
}

func (e *exam) ok(check, text string) { e.add(Finding{OK, check, text, ""}) }

func (e *exam) warn(check, text, advice string) { e.add(Finding{Warning, check, text, advice}) }

func (e *exam) fail(check, text, advice string) { e.add(Finding{Error, check, text, advice}) }

func (e *exam) add(f Finding) { e.found = append(e.found, f) }
