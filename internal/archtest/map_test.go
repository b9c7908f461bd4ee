package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var mapRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| .")

// The file map of docs/architecture.md has one row for each package, and none for what
// does not exist.
func TestEveryPackageIsOnTheMap(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]int{}
	for _, row := range mapRow.FindAllStringSubmatch(string(page), -1) {
		rows[row[1]]++
	}
	for path, n := range rows {
		if info, err := os.Stat(filepath.Join(root, path)); n > 1 || err != nil || !info.IsDir() {
			t.Errorf("docs/architecture.md: %d rows for %s, %v", n, path, err)
		}
	}
	for _, p := range packages(t) {
		if path := strings.TrimPrefix(p.ImportPath, module); rows[path] == 0 {
			t.Errorf("docs/architecture.md has no row for %s", path)
		}
	}
}
