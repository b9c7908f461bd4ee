package backend

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Engines of a Collector with leakveil.
const (
	Hyperscan = "hyperscan"
	Portable  = "portable"
)

// builder makes the sources of a Collector from its manifest.
const builder = "go.opentelemetry.io/collector/cmd/builder@v0.162.0"

// BuildOwn returns the Collector of deploy/collector/manifest.yaml with leakveil as it is
// now: the sources are made once a manifest, and Go's own cache does the rest. Test
// processes of several packages wait for each other.
func BuildOwn(t testing.TB, engine string) (program string) {
	t.Helper()
	root, err := repository()
	check(t, err)
	dir := filepath.Join(root, ".cache", "backends", "collector-"+engine)
	check(t, os.MkdirAll(dir, 0o755))
	lock, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	check(t, err)
	defer lock.Close()
	check(t, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
	check(t, generate(root, dir))
	program = filepath.Join(dir, "otelcol-leakveil")
	cgo := "CGO_ENABLED=1"
	if engine == Portable {
		cgo = "CGO_ENABLED=0"
	}
	cmd := exec.Command("go", "build", "-o", program, ".")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), cgo)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the Collector does not build: %v\n%s", err, out)
	}
	return program
}

// generate makes the sources in dir, unless they are there of the same manifest and modules.
func generate(root, dir string) error {
	sum := sha256.New()
	for _, name := range []string{"deploy/collector/manifest.yaml", "go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		sum.Write(text)
	}
	of := filepath.Join(dir, "made-of")
	want := fmt.Appendf(nil, "%x\n", sum.Sum(nil))
	if have, err := os.ReadFile(of); err == nil && bytes.Equal(have, want) {
		return nil
	}
	manifest, err := os.ReadFile(filepath.Join(root, "deploy", "collector", "manifest.yaml"))
	if err != nil {
		return err
	}
	moved := bytes.ReplaceAll(manifest, []byte("leakveil => ../..\n"), []byte("leakveil => ../../..\n")) // from dir
	if bytes.Equal(moved, manifest) {
		return errors.New("the manifest does not say where leakveil is")
	}
	copied := filepath.Join(dir, "manifest.yaml")
	if err := os.WriteFile(copied, moved, 0o644); err != nil {
		return err
	}
	cmd := exec.Command("go", "run", builder, "--config", copied, "--skip-compilation")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "dist.output_path="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("the Collector's sources cannot be made: %w\n%s", err, out)
	}
	return os.WriteFile(of, want, 0o644)
}

// StartOwn starts it with a configuration that has the extension health_check on
// LISTEN_HEALTH, and waits until that says it is ready. env are variables, each K=V, that
// the configuration reads.
func StartOwn(t testing.TB, program, config string, env ...string) *Process {
	t.Helper()
	health := fmt.Sprintf("127.0.0.1:%d", FreePort(t))
	cmd := exec.Command(program, "--config", config)
	cmd.Env = append(append(os.Environ(), env...), "LISTEN_HEALTH="+health)
	return begin(t, cmd, healthy("http://"+health))
}

// healthy is a ready function for a URL that answers 200 when its server is.
func healthy(url string) func() error {
	client := &http.Client{Timeout: 5 * time.Second}
	return func() error {
		r, err := client.Get(url)
		if err != nil {
			return err
		}
		defer r.Body.Close()
		if _, err := io.Copy(io.Discard, r.Body); err != nil || r.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %d, %w", url, r.StatusCode, err)
		}
		return nil
	}
}
