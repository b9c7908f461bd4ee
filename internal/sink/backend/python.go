package backend

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// Python returns an interpreter with the OpenTelemetry SDK of PyPI, its exporters and its
// instrumentation of HTTP clients, as deploy/collector/testdata/requirements.txt names them.
func Python(t testing.TB) (program string) {
	t.Helper()
	root, err := repository()
	check(t, err)
	return filepath.Join(cached(t, "python-otel-1.45.1", func(dir string) error {
		if err := command(dir, "python3", "-m", "venv", "venv"); err != nil {
			return err
		}
		return command(dir, "venv/bin/pip", "install", "-q", "-r", filepath.Join(root, "deploy", "collector", "testdata", "requirements.txt"))
	}), "venv", "bin", "python")
}

// BuildLeakveil returns bin/leakveil as it is now.
func BuildLeakveil(t testing.TB) (program string) {
	t.Helper()
	root, err := repository()
	check(t, err)
	program = filepath.Join(t.TempDir(), "leakveil")
	cmd := exec.Command("go", "build", "-o", program, "./cmd/leakveil")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("leakveil does not build: %v\n%s", err, out)
	}
	return program
}

// StartLeakveil starts leakveil run and waits until its http.listen says it is ready.
func StartLeakveil(t testing.TB, program, config, listen string) *Process {
	t.Helper()
	return begin(t, exec.Command(program, "run", "--config", config), healthy("http://"+listen+"/readyz"))
}
