package config

import (
	"context"
	"net/netip"
	"time"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/expr"
)

// The kinds that tests configure: together they have every tag and field type.

type hookConfig struct {
	Path      string            `hcl:"path,required,identity" doc:"Where it listens." example:"\"/hooks/orders\""`
	Methods   []string          `hcl:"methods" enum:"POST|PUT" doc:"What it takes."`
	Listener  component.Ref     `hcl:"listener" ref:"listener.http" doc:"Which listener."`
	MaxBody   component.Size    `hcl:"max_body" min:"1B" max:"1GiB" doc:"Largest body."`
	AllowIPs  []netip.Prefix    `hcl:"allow_ips" doc:"Who may send."`
	RateLimit component.Rate    `hcl:"rate_limit" doc:"How often."`
	Strict    *bool             `hcl:"strict" doc:"Whether it is strict."`
	Weight    float64           `hcl:"weight" doc:"How heavy."`
	Answer    any               `hcl:"answer" doc:"What it says."`
	Verify    []hookVerify      `hcl:"verify,oneof" doc:"Who sends."`
	Limits    hookLimits        `hcl:"limits,block" doc:"Bounds."`
	Header    []hookHeader      `hcl:"header,block" doc:"What it asks for."`
	Labels    map[string]string `hcl:"labels" doc:"For people."`
}

type hookVerify struct {
	HMAC *hookHMAC `hcl:"hmac" doc:"A signature."`
	None *struct{} `hcl:"none" doc:"Nobody."`
}

type hookHMAC struct {
	Header    string           `hcl:"header,required" doc:"The header that carries it." example:"\"X-Signature\""`
	Algorithm string           `hcl:"algorithm" enum:"sha1|sha256" doc:"The hash."`
	Secret    component.Secret `hcl:"secret,required" doc:"The shared secret." example:"credential(\"shop\")"`
}

func (h *hookHMAC) SetDefaults() { h.Algorithm = "sha256" }

func (h *hookHMAC) Validate(p *component.Problems) {
	if h.Header == "Host" {
		p.Error("header", "Host carries no signature", "Name the header that the sender signs with.")
	}
}

type hookLimits struct {
	Depth int `hcl:"depth" min:"1" max:"200" doc:"Nesting."`
	Keys  int `hcl:"keys" doc:"Keys."`
}

func (l *hookLimits) SetDefaults() { l.Depth, l.Keys = 100, 1000 }

type hookHeader struct {
	Name string `hcl:"name,required" doc:"Its name."`
}

func (c *hookConfig) Validate(p *component.Problems) {
	if len(c.Path) == 0 || c.Path[0] != '/' {
		p.Error("path", "a path begins with /", "Write \"/"+c.Path+"\".")
	}
	for i, h := range c.Header {
		if h.Name == "Cookie" {
			p.Error("header["+string(rune('0'+i))+"].name", "Cookie cannot be asked for", "Take another header.")
		}
	}
	if len(c.Verify) == 0 {
		p.Warn("", "anyone may send to this webhook", "Add a verify block; verify \"none\" {} says that it is meant so.")
	}
}

func (c *hookConfig) Claims() []component.Claim {
	return []component.Claim{{Attr: "path", What: "POST " + c.Path + " on " + string(c.Listener.Address)}}
}

type callConfig struct {
	Connection component.Ref            `hcl:"connection,required" ref:"connection.http" doc:"Where to." example:"connection.http.crm"`
	Path       expr.Template            `hcl:"path" escape:"path" doc:"Below the base URL."`
	Headers    map[string]expr.Template `hcl:"headers,secret" escape:"header" doc:"Sent along."`
	Success    expr.Expr                `hcl:"success" scope:"response" yields:"bool" doc:"What counts as done."`
	Body       expr.Expr                `hcl:"body" doc:"What is sent."`
	Columns    map[string]expr.Expr     `hcl:"columns" doc:"Columns."`
}

func (*callConfig) Remembers() component.Memory {
	return component.Memory{For: 24 * time.Hour, Why: "The receiver forgets after a day."}
}

type appendConfig struct {
	Connection component.Ref   `hcl:"connection" ref:"connection.http" doc:"Whose files."`
	Marker     string          `hcl:"marker" path:"place" doc:"Another file."`
	Path       expr.Template   `hcl:"path,required" escape:"file" path:"place" doc:"The file." example:"\"out/orders.csv\""`
	Lookup     string          `hcl:"lookup" path:"file" doc:"A file to look things up in."`
	Command    []expr.Template `hcl:"command" escape:"arg" doc:"What to run."`
}

type connConfig struct {
	BaseURL  string                      `hcl:"base_url,required" doc:"Where it is." example:"\"https://crm.example.com\""`
	Headers  map[string]component.Secret `hcl:"headers" doc:"Sent along."`
	Timeout  time.Duration               `hcl:"timeout" min:"1ms" doc:"For one call."`
	Password component.Secret            `hcl:"password" doc:"The password."`
	Port     int                         `hcl:"port" min:"1" max:"65535" doc:"The port."`
	Via      component.Ref               `hcl:"via" ref:"connection.http" doc:"Another to go through."`
	TLS      *connTLS                    `hcl:"tls,block" doc:"Certificates."`
}

type connTLS struct {
	CA string `hcl:"ca" path:"file" doc:"Authorities."`
}

type filterConfig struct {
	When expr.Expr `hcl:"when,required" yields:"bool" doc:"What goes on." example:"\"body.total > 0\""`
}

type mapConfig struct {
	Fields expr.Expr `hcl:",fields" doc:"The fields of the new body."`
}

type removeConfig struct {
	Fields []string `hcl:"fields,required" doc:"What goes." example:"[\"customer.ssn\"]"`
}

type fakeSource struct{}

func (fakeSource) Run(ctx context.Context, _ component.Intake) error { <-ctx.Done(); return nil }

type fakeStep struct{}

func (fakeStep) Apply(_ context.Context, e *component.Event) ([]*component.Event, error) {
	return []*component.Event{e}, nil
}

type fakeSink struct{}

func (fakeSink) Deliver(context.Context, []component.Delivery) component.Result {
	return component.Result{}
}

func openSource[C any](component.Env, *C) (component.Source, error) { return fakeSource{}, nil }
func openStep[C any](component.Env, *C) (component.Step, error)     { return fakeStep{}, nil }
func openSink[C any](component.Env, *C) (component.Sink, error)     { return fakeSink{}, nil }

var testKinds = []component.Kind{
	component.SourceKind("webhook", "Takes requests.", func() *hookConfig { return &hookConfig{Methods: []string{"POST"}, MaxBody: 5 << 20} }, openSource[hookConfig]),
	component.SinkKind("http", "Calls.", func() *callConfig { return &callConfig{} }, openSink[callConfig]),
	component.SinkKind("files", "Appends.", func() *appendConfig { return &appendConfig{} }, openSink[appendConfig]),
	component.SinkKind("log", "Prints.", func() *struct{} { return &struct{}{} }, openSink[struct{}]),
	component.ConnectionKind("http", "Reaches a server.", func() *connConfig { return &connConfig{Timeout: 30 * time.Second, Port: 443} },
		func(component.Env, *connConfig) (*int, error) { return new(int), nil }),
	component.StepKind("filter", "Goes on if true.", func() *filterConfig { return &filterConfig{} }, openStep[filterConfig]),
	component.StepKind("map", "Builds a body.", func() *mapConfig { return &mapConfig{} }, openStep[mapConfig]),
	component.StepKind("remove", "Takes fields out.", func() *removeConfig { return &removeConfig{} }, openStep[removeConfig]),
}
