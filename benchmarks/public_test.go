package benchmarks

import (
	"bufio"
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/rules"
)

// publicLogs names the variable with a folder of logs that hold no secret. No such
// text is in the repository: logs of the machine, of packages' tests, of collections.
const publicLogs = "LEAKVEIL_PUBLIC_LOGS"

// No line of public logs has a finding.
func TestPublicLogsStay(t *testing.T) {
	dir := os.Getenv(publicLogs)
	if dir == "" {
		t.Skip(publicLogs + " names no folder of logs without secrets")
	}
	set, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	db, err := detect.Compile(set)
	if err != nil {
		t.Fatal(err)
	}
	s, err := db.NewScanner()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	size := 0
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 16<<20)
		for n := 1; lines.Scan(); n++ {
			size += len(lines.Bytes()) + 1
			checkClean(t, s, path, n, lines.Bytes())
		}
		return lines.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	if size == 0 {
		t.Fatalf("%s holds no lines", dir)
	}
	t.Logf("%d bytes", size)
}

func checkClean(t *testing.T, s *detect.Scanner, path string, n int, line []byte) {
	t.Helper()
	var b detect.Batch
	b.SetLines(line)
	found, _, err := s.Scan(&b)
	if err != nil {
		t.Fatalf("%s:%d: %v", path, n, err)
	}
	for _, f := range found {
		t.Errorf("%s:%d: %s at %d of %q", path, n, f.Rule.ID, f.Start, bytes.ToValidUTF8(line[max(0, f.KeyStart-40):f.Start], nil))
	}
}
