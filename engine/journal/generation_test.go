package journal

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// Texts go with the last generation that has them, and a file that stays takes no
// more room, however many generations there are.
func TestGenerationsTakeLittle(t *testing.T) {
	j, err := Open(t.TempDir(), Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	files := []ConfigFile{{"a.hcl", "# changes"}, {"b.hcl", "# stays"}, {"c.hcl", "# stays, too"}}
	for n := int64(1); n <= keptGenerations+50; n++ {
		files[0].Text = fmt.Sprint("# ", n)
		if n == 20 {
			files = append(files, ConfigFile{"d.hcl", "# comes"})
		}
		if n == 40 {
			files = files[:3]
		}
		if _, err := j.Configure(t.Context(), Topology{Generation: n, Record: &Generation{Files: files}}); err != nil {
			t.Fatal(err)
		}
	}
	for query, want := range map[string]int64{
		"SELECT count(*) FROM generations":                           keptGenerations,
		"SELECT count(*) FROM texts":                                 keptGenerations + 2,
		"SELECT count(*) FROM generation_files":                      keptGenerations + 2,
		"SELECT count(*) FROM generation_files WHERE since >= ended": 0,
	} {
		var got int64
		err := j.read(context.Background(), func(c *conn) (err error) {
			got, err = c.integer(query)
			return err
		})
		if err != nil || got != want {
			t.Errorf("%s: %d %v, want %d", query, got, err, want)
		}
	}
}
