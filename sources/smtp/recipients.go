package smtp

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// pattern is an address with parameters.
type pattern struct {
	match *regexp.Regexp
	names []string
}

var parameter = regexp.MustCompile(`\{([^{}]*)\}`)
var parameterName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// newPattern reads "orders+{token}@in.example.com". Its error says what to write.
func newPattern(text string) (*pattern, error) {
	if local, domain, found := strings.Cut(text, "@"); !found || local == "" || domain == "" || strings.Contains(domain, "@") {
		return nil, fmt.Errorf("%q is no address: write it as \"orders@in.example.com\", or \"{any}@in.example.com\" for all of a domain", text)
	}
	var expression strings.Builder
	p := &pattern{}
	end := 0
	for _, at := range parameter.FindAllStringSubmatchIndex(text, -1) {
		name := text[at[2]:at[3]]
		if !parameterName.MatchString(name) {
			return nil, fmt.Errorf("{%s} is no parameter: its name is of a-z, 0-9 and _", name)
		}
		if end > 0 && at[0] == end {
			return nil, errors.New("two parameters stand side by side: nothing tells where one ends")
		}
		expression.WriteString(regexp.QuoteMeta(text[end:at[0]]) + `([^@\x00-\x20\x7f]+)`)
		p.names, end = append(p.names, name), at[1]
	}
	rest := text[end:]
	if strings.ContainsAny(text, "*") {
		return nil, errors.New(`* means nothing here: a part that differs from mail to mail is a parameter, "{any}@in.example.com"`)
	}
	if strings.ContainsAny(rest, "{}") {
		return nil, errors.New("a brace is open: a parameter is written {name}")
	}
	expression.WriteString(regexp.QuoteMeta(rest))
	p.match = regexp.MustCompile("(?i)^" + expression.String() + "$")
	return p, nil
}

// params gives the parameters in an address; false says that it is another one.
func (p *pattern) params(address string) (map[string]any, bool) {
	found := p.match.FindStringSubmatch(address)
	if found == nil {
		return nil, false
	}
	params := map[string]any{}
	for i, name := range p.names {
		params[name] = found[i+1]
	}
	return params, true
}

// newGlob reads "*@partner.example".
func newGlob(text string) *regexp.Regexp {
	return regexp.MustCompile("(?is)^" + strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, ".*") + "$")
}
