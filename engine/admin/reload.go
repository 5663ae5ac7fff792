package admin

import "time"

// ReloadOptions say how to reload.
type ReloadOptions struct {
	// Confirm brings the old configuration back after that time, in JSON in
	// nanoseconds, unless Keep is called before; 0: no.
	Confirm time.Duration `json:"confirm,omitempty"`
	// AllowEmpty takes a configuration without components for meant.
	AllowEmpty bool `json:"allow_empty,omitempty"`
}

// Reload is the outcome of a reload. Where it is not OK, what ran before goes on.
type Reload struct {
	OK         bool     `json:"ok"`
	Generation int64    `json:"generation"` // that runs now
	Changes    []Change `json:"changes"`    // but for what is kept
	Kept       int      `json:"kept"`       // components that go on untouched
	Daemon     []string `json:"daemon"`     // attributes of the daemon block that changed
	// Error says why not, in a line; Diagnostics are the mistakes of the configuration
	// as validate prints them, warnings included.
	Error       string  `json:"error,omitempty"`
	Diagnostics string  `json:"diagnostics,omitempty"`
	ReadMS      float64 `json:"read_ms"`   // to read, check and open
	CommitMS    float64 `json:"commit_ms"` // until the journal has it on disk; so far the old one goes on whole
	SwapMS      float64 `json:"swap_ms"`   // from then until all that changes has changed
	// KeepBy is until when Keep must be called.
	KeepBy *time.Time `json:"keep_by,omitempty"`
}

// Change is what a reload does to a component: start, stop, restart or adjust, and
// why; State says what becomes of its state.
type Change struct {
	Address string   `json:"address"`
	Action  string   `json:"action"`
	Reasons []string `json:"reasons"`
	State   string   `json:"state,omitempty"`
	From    string   `json:"from,omitempty"` // its address before it moved
}

// Plan is what a reload would do now.
type Plan struct {
	Changes     []Change `json:"changes"`
	Kept        int      `json:"kept"`
	Daemon      []string `json:"daemon"`
	Error       string   `json:"error,omitempty"` // why it would be refused
	Diagnostics string   `json:"diagnostics,omitempty"`
}

// Stale tells that the files are not what runs.
type Stale struct {
	Since       time.Time `json:"since"`
	Reason      string    `json:"reason"` // in a line
	Diagnostics string    `json:"diagnostics,omitempty"`
	Attempts    int       `json:"attempts"` // reloads that failed since
}

// Generation is a configuration that ran.
type Generation struct {
	Number  int64     `json:"number"`
	Time    time.Time `json:"time"`
	Origin  string    `json:"origin"` // start, reload, rollback to 3 …
	Running bool      `json:"running"`
	Files   []File    `json:"files,omitempty"`
}

// File is a file of a generation, secrets masked.
type File struct {
	Name string `json:"name"`
	Text string `json:"text"`
}
