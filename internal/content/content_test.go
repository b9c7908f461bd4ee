package content_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/leakveil/leakveil/internal/content"
)

var update = flag.Bool("update", false, "write the generated files of deploy/ and docs/runbooks anew")

const root = "../.."

// What is committed is what the tables say.
func TestFilesAreTheTables(t *testing.T) {
	for name, want := range content.Files() {
		path := filepath.Join(root, name)
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the tables say: go test ./internal/content -update (%v)", name, err)
		}
	}
}
