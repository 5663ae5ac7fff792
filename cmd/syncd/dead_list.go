package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/syncd/syncd/engine/admin"
)

func newDeadList(at *daemonFlags) *cobra.Command {
	var f filterFlags
	asJSON := false
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List dead letters, the oldest first",
		Example: `  syncd dead list
  syncd dead list --flow orders --sink http.erp
  syncd dead list --json | jq length`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return at.call(cmd, func(ctx context.Context, c *admin.Client) error {
				letters := c.Dead(ctx, f.filter())
				if asJSON {
					return writeList(cmd.OutOrStdout(), letters)
				}
				return writeDead(cmd.OutOrStdout(), letters, time.Now())
			})
		},
	}
	f.add(cmd, at)
	addJSON(cmd, &asJSON)
	return cmd
}

// writeDead aligns a few hundred rows at a time, so that a list of any length can pass.
func writeDead(w io.Writer, letters iter.Seq2[admin.DeadLetter, error], now time.Time) error {
	t, n := newTable("ID", "DIED", "WHERE", "EVENT", "ATTEMPTS", "ERROR"), 0
	for d, err := range letters {
		if err != nil {
			return err
		}
		n++
		t.add(d.ID, ago(now, d.Time), where(d), d.Event, int64(d.Attempts), short(d.Error, 100))
		if len(t.rows) == 500 {
			if err := t.flush(w); err != nil {
				return err
			}
		}
	}
	if n == 0 {
		_, err := fmt.Fprintln(w, "No dead letters.")
		return err
	}
	return t.flush(w)
}

// writeList writes one JSON list, an entry a line.
func writeList[T any](w io.Writer, entries iter.Seq2[T, error]) error {
	b := bufio.NewWriter(w)
	sep := "[\n"
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	for e, err := range entries {
		if err != nil {
			b.Flush()
			return err
		}
		b.WriteString(sep)
		if err := enc.Encode(e); err != nil {
			return err
		}
		sep = ","
	}
	if sep != "," {
		b.WriteString("[")
	}
	b.WriteString("]\n")
	return b.Flush()
}
