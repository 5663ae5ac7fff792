package files

import (
	"fmt"
	"path/filepath"
	"strings"
)

// numbered is the n-th choice of a name: "orders.csv", "orders-2.csv", "orders-3.csv".
func numbered(name string, n int) string {
	if n == 1 {
		return name
	}
	ext := filepath.Ext(name)
	if ext == name { // a hidden file
		ext = ""
	}
	return fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, ext), n, ext)
}

// partName is the n-th name under which a file grows: several exist when more
// than one is completed between two settlements.
func partName(name string, n int) string {
	if n == 1 {
		return "." + name + ".part"
	}
	return fmt.Sprintf(".%s.%d.part", name, n)
}

func isPart(name string) bool {
	return strings.HasPrefix(name, ".") && strings.HasSuffix(name, ".part")
}

func intentName(name string) string { return "." + name + ".new" }
