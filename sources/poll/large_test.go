package poll

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/syncd/syncd/engine/component"
	"github.com/syncd/syncd/engine/schedule"
)

// counter is an intake that only counts, and looks at the heap.
type counter struct {
	records int64
	peak    uint64
}

func (c *counter) Accept(_ context.Context, b component.Batch) ([]component.Accepted, error) {
	before := c.records >> 14
	if c.records += int64(len(b.Drafts)); c.records>>14 != before {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		c.peak = max(c.peak, m.HeapInuse)
	}
	return nil, nil
}
func (*counter) Get(context.Context, string, any) (bool, error) { return false, nil }
func (*counter) Refused(int)                                    {}

// An array that is larger than what may be in memory is read as a stream. The long
// form has 1 GB.
func TestLargeArray(t *testing.T) {
	n := 100_000
	if os.Getenv("SYNCD_CHECK") != "" {
		n = 1_000_000
	}
	element := `{"id":%d,"text":"` + strings.Repeat("x", 980) + `"}`
	api := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"data":[`)
		for i := range n {
			if i > 0 {
				io.WriteString(w, ",")
			}
			fmt.Fprintf(w, element, i)
		}
		io.WriteString(w, `],"next":null}`)
	})
	p := newPoller(t, api.URL, newMemory(false), byToken)
	c := &counter{}
	if err := p.source.run(t.Context(), c, schedule.Due{}); err != nil {
		t.Fatal(err)
	}
	if c.records != int64(n) || c.peak > 64<<20 {
		t.Errorf("%d records, %d bytes of heap", c.records, c.peak)
	}
}
