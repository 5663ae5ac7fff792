package main

import (
	_ "github.com/expr-lang/expr"
	_ "github.com/hashicorp/hcl/v2"
	_ "github.com/klauspost/compress/s2"
	_ "github.com/spf13/cobra"
	_ "github.com/zclconf/go-cty/cty"
	_ "go.uber.org/goleak"
	_ "golang.org/x/sync/errgroup"
	_ "golang.org/x/time/rate"
	_ "golang.org/x/text/encoding"
	_ "modernc.org/sqlite"
	_ "github.com/google/go-cmp/cmp"
	_ "github.com/cenkalti/backoff/v5"
	_ "github.com/agext/levenshtein"
	_ "golang.org/x/sys/unix"
)

func main() {}
