package exec

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

// Config is a sink "exec" block.
type Config struct {
	Command []expr.Template          `hcl:"command,required" escape:"arg" doc:"The program and its arguments, each one word as it stands: no shell reads them. The program is a path, or a name that is found in PATH." example:"[\"/usr/local/bin/print-label\", \"--id\", \"{{ body.order_id }}\"]"`
	Stdin   expr.Expr                `hcl:"stdin" doc:"What the program reads: text as it is, anything else as JSON; default: nothing." example:"\"toJSON(body)\""`
	Dir     string                   `hcl:"dir" path:"file" doc:"The directory in which it runs; default: that of the daemon." example:"\"/srv/labels\""`
	Env     map[string]expr.Template `hcl:"env,secret" doc:"Environment variables of the program, beside those of pass_env." example:"{ PRINTER = \"dock-2\" }"`
	PassEnv []string                 `hcl:"pass_env" doc:"Environment variables of the daemon that the program gets, too." example:"[\"PATH\", \"HOME\"]"`
	RetryOn []int                    `hcl:"retry_on" doc:"The exit codes after which it is tried again; any other but 0 makes a dead letter." example:"[1, 75]"`
}

// tempFail is EX_TEMPFAIL of sysexits.h: a failure that will pass.
const tempFail = 75

func newConfig() *Config {
	return &Config{PassEnv: []string{"PATH", "LANG", "TZ"}, RetryOn: []int{tempFail}}
}

// Validate checks what the tags cannot say.
func (c *Config) Validate(p *component.Problems) {
	c.validateCommand(p)
	for i, code := range c.RetryOn {
		if code < 1 || code > 255 {
			p.Error(fmt.Sprintf("retry_on[%d]", i), "not the exit code of a failure", "Exit codes go from 0 to 255, and 0 means that all is well.")
		}
	}
	for i, name := range c.PassEnv {
		if !isVariable(name) {
			p.Error(fmt.Sprintf("pass_env[%d]", i), fmt.Sprintf("%q is not the name of a variable", name), `Write the name alone: "HOME".`)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Env)) {
		if !isVariable(name) {
			p.Error("env", fmt.Sprintf("%q is not the name of a variable", name), "A name has no = in it and is not empty.")
		}
	}
}

func isVariable(name string) bool { return name != "" && !strings.ContainsAny(name, "=\x00") }

func (c *Config) validateCommand(p *component.Problems) {
	if len(c.Command) == 0 {
		p.Error("command", "no program to run", `Write the program and its arguments: ["/usr/local/bin/print-label", "--id", "{{ body.order_id }}"].`)
		return
	}
	program, literal := c.Command[0].Literal()
	switch {
	case !literal:
		p.Error("command[0]", "the program must be a literal", "What an event holds may be an argument, never the choice of the program.")
	case strings.ContainsAny(program, " \t") && len(c.Command) == 1:
		p.Error("command[0]", "a command line in one text", "Each argument is an element of its own: "+asList(program)+". There is no shell; for one, name it: [\"sh\", \"-c\", …].")
	case program == "":
		p.Error("command[0]", "no program to run", "Write its path, or a name that is found in PATH.")
	case strings.Contains(program, "/") && !filepath.IsAbs(program):
		p.Error("command[0]", "a relative path", "Write it from the root, since the daemon may run anywhere; or a name without slashes, which is found in PATH.")
	}
	if i := c.codeArgument(program); i > 0 {
		p.Error(fmt.Sprintf("command[%d]", i), "text of an event in program code", filepath.Base(program)+` would run what a sender wrote. Let the code be fixed, and hand the value over as an argument (sh: "$1") or in env.`)
	}
}

// asList writes a command line as a list, for a message.
func asList(line string) string {
	words := strings.Fields(line)
	for i, w := range words {
		words[i] = fmt.Sprintf("%q", w)
	}
	return "[" + strings.Join(words, ", ") + "]"
}

// interpreters are programs that take code behind one of these options, in the same
// word or the next one.
var interpreters = map[string]interpreter{
	"sh": {short: "c"}, "bash": {short: "c"}, "dash": {short: "c"}, "ash": {short: "c"}, "ksh": {short: "c"}, "zsh": {short: "c"},
	"fish": {"c", []string{"--command"}}, "su": {"c", []string{"--command"}},
	"python": {short: "c"}, "perl": {short: "eE"}, "ruby": {short: "e"}, "lua": {short: "e"},
	"node": {"ep", []string{"--eval", "--print"}}, "php": {"r", []string{"--run"}},
}

type interpreter struct {
	short string // letters
	long  []string
}

// interpreterOf finds one by the path of a program, whatever its version.
func interpreterOf(program string) (interpreter, bool) {
	i, ok := interpreters[strings.TrimRight(filepath.Base(program), "0123456789.")]
	return i, ok
}

// codeArgument is the index of an argument that program runs as code and that has
// holes, 0 if there is none. Programs that run others (env, sudo, nice) are seen through.
func (c *Config) codeArgument(program string) int {
	in, known := interpreterOf(program)
	for i := 1; i < len(c.Command); i++ {
		word, literal := c.Command[i].Literal()
		if !literal {
			if known && in.joins(c.Command[i].Prefix()) {
				return i
			}
			continue
		}
		if o, ok := interpreterOf(word); ok && !known {
			in, known = o, true
			continue
		}
		if known && in.takesNext(word) && i+1 < len(c.Command) {
			if _, literal := c.Command[i+1].Literal(); !literal {
				return i + 1
			}
		}
	}
	return 0
}

// takesNext tells whether the word behind this one is code.
func (in interpreter) takesNext(word string) bool {
	if strings.HasPrefix(word, "--") {
		return slices.Contains(in.long, word)
	}
	return len(word) > 1 && word[0] == '-' && strings.Contains(in.short, word[len(word)-1:])
}

// joins tells whether what follows this beginning of a word is code.
func (in interpreter) joins(begin string) bool {
	if strings.HasPrefix(begin, "--") {
		name, _, whole := strings.Cut(begin, "=")
		return whole && slices.Contains(in.long, name)
	}
	if len(begin) < 2 || begin[0] != '-' {
		return false
	}
	first, last := begin[1:2], begin[len(begin)-1:] // as in "-cprint(" and "-we"
	return strings.Contains(in.short, first) || strings.Contains(in.short, last) && len(begin) <= 4
}
