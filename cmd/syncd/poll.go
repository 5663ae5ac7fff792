package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/config"
	"github.com/syncd/syncd/engine/spelling"
)

func newPoll() *cobra.Command {
	var from configFlags
	dry, asJSON, shown := false, false, 0
	cmd := &cobra.Command{
		Use:   "poll --dry-run ADDRESS",
		Short: "Ask an API for one page, and show what comes",
		Long: `Send the first request of a source that asks an API, as its very first run would,
and show the request, the records that came, the request for the next page, and the
cursor. Nothing is stored, and no daemon is needed. For a real run, now:
syncd trigger ADDRESS.`,
		Example: `  syncd poll --dry-run source.poll.orders
  syncd poll --dry-run source.poll.orders -c shop --records 20
  syncd poll --dry-run source.poll.orders -c shop --json | jq .records`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !dry {
				return fmt.Errorf("this command only tries out: syncd poll --dry-run %[1]s; for a real run of the daemon, now: syncd trigger %[1]s", args[0])
			}
			cfg, diags := config.Load(from.path, kinds(), from.options())
			if diags.HasErrors() {
				writeDiagnostics(cmd.ErrOrStderr(), diags)
				return errShown
			}
			p, err := preview(cmd.Context(), cfg, address("source", args[0]), shown)
			if p != nil && asJSON {
				return writePreviewJSON(cmd, p, err)
			}
			if p != nil {
				writePreview(cmd.OutOrStdout(), p, err == nil)
			}
			return err
		},
	}
	from.add(cmd)
	addJSON(cmd, &asJSON)
	cmd.Flags().BoolVar(&dry, "dry-run", false, "store nothing; there is no other way")
	cmd.Flags().IntVar(&shown, "records", 3, "show up to `N` records")
	return cmd
}

// preview opens the source with what it refers to, and nothing else.
func preview(ctx context.Context, cfg *config.Config, name string, n int) (*component.Preview, error) {
	var names []string
	var found *config.Component
	for _, c := range cfg.Sources {
		names = append(names, string(c.Address))
		if string(c.Address) == name {
			found = c
		}
	}
	if found == nil {
		return nil, noSource(name, names)
	}
	o := opener{cfg: cfg}
	defer o.close()
	is, err := found.Kind.Open(o.env(found.Address), found.Config)
	if err != nil {
		return nil, err
	}
	p, ok := is.(component.Previewer)
	if !ok {
		return nil, fmt.Errorf("%s is no source that asks for pages", name)
	}
	return p.Preview(ctx, n)
}

func noSource(name string, names []string) error {
	if near := spelling.Nearest(name, names); near != "" {
		return fmt.Errorf("there is no %s; did you mean %s?", name, near)
	}
	if len(names) == 0 {
		return fmt.Errorf("there is no %s: the configuration has no sources", name)
	}
	return fmt.Errorf("there is no %s; there are %s", name, strings.Join(names, ", "))
}

// opener opens connections of a configuration when they are asked for.
type opener struct {
	cfg  *config.Config
	open []component.Closer
}

func (o *opener) env(address component.Address) component.Env {
	return component.Env{
		Address: address, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Now().UTC() },
		State: noState{}, Connection: o.connection,
	}
}

func (o *opener) connection(ref component.Ref) (any, error) {
	i := slices.IndexFunc(o.cfg.Connections, func(c *config.Component) bool { return c.Address == ref.Address })
	if i < 0 {
		return nil, fmt.Errorf("there is no %s", ref.Address)
	}
	c := o.cfg.Connections[i]
	is, err := c.Kind.Open(o.env(c.Address), c.Config)
	if err != nil {
		return nil, err
	}
	if closer, ok := is.(component.Closer); ok {
		o.open = append(o.open, closer)
	}
	return is, nil
}

func (o *opener) close() {
	for _, c := range o.open {
		_ = c.Close() // the process ends
	}
}

// noState is that of a component that has never run.
type noState struct{}

func (noState) Get(context.Context, string, any) (bool, error) { return false, nil }

// writePreview writes what is known of a page; complete: that is all there is.
func writePreview(w io.Writer, p *component.Preview, complete bool) {
	fmt.Fprintln(w, clean(strings.TrimRight(p.Request, "\n")))
	if p.Status == 0 {
		return
	}
	fmt.Fprintf(w, "\nAnswered %d; %s.\n", p.Status, count(int(p.Count), "record"))
	for _, r := range p.Records {
		raw, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			raw = fmt.Appendf(nil, "%v", r)
		}
		fmt.Fprintf(w, "\n%s\n", clean(string(raw)))
	}
	if more := int(p.Count) - len(p.Records); more > 0 && len(p.Records) > 0 {
		fmt.Fprintf(w, "\n… and %d more.\n", more)
	}
	fmt.Fprintln(w)
	if p.Next != "" {
		line, _, _ := strings.Cut(p.Next, "\n")
		fmt.Fprintf(w, "Next page: %s\n", clean(line))
	} else if complete {
		fmt.Fprintln(w, "There is no next page.")
	}
	if p.Cursor != nil {
		fmt.Fprintf(w, "Cursor after this page: %s\n", clean(fmt.Sprint(p.Cursor)))
	}
	fmt.Fprintln(w, "Nothing was stored.")
}

func writePreviewJSON(cmd *cobra.Command, p *component.Preview, failed error) error {
	out := struct {
		Request string `json:"request"`
		Status  int    `json:"status,omitempty"`
		Count   int64  `json:"count"`
		Records []any  `json:"records"`
		Next    string `json:"next,omitempty"`
		Cursor  any    `json:"cursor,omitempty"`
		Error   string `json:"error,omitempty"`
	}{p.Request, p.Status, p.Count, p.Records, p.Next, p.Cursor, ""}
	if out.Records == nil {
		out.Records = []any{}
	}
	if failed != nil {
		out.Error = failed.Error()
	}
	if err := printJSON(cmd, out); err != nil || failed == nil {
		return err
	}
	return errShown
}
