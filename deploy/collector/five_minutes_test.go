package collector_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/leakveil/leakveil/internal/otlpnet/otlpnettest"
	"github.com/leakveil/leakveil/internal/sink/backend"
)

// The newcomer's page, docs/collector.md, in an empty folder: its files, and in the long job,
// since that builds a Collector anew, its commands as they are written; but the clone is of
// this tree, the port a free one, and somebody waits until the Collector is ready.
func TestFiveMinutes(t *testing.T) {
	page := string(read(t, "../../docs/collector.md"))
	dir, address := t.TempDir(), otlpnettest.FreeAddress(t)
	script := []string{"set -euo pipefail"}
	file := regexp.MustCompile(`^# (\S+\.yaml)\n`)
	files := 0
	for _, block := range regexp.MustCompile("(?s)```(\\w*)\n(.*?)```").FindAllStringSubmatch(page, -1) {
		text := strings.ReplaceAll(block[2], "127.0.0.1:4318", address)
		switch name := file.FindStringSubmatch(text); {
		case name != nil:
			files++
			if err := os.WriteFile(filepath.Join(dir, name[1]), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		case block[1] == "sh":
			script = append(script, text)
		}
	}
	if files != 2 || len(script) != 4 {
		t.Fatalf("%d files and %d pieces of script: the page is another", files, len(script)-1)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(backend.BuildOwn(t, backend.Hyperscan), "validate", "--config", filepath.Join(dir, "config.yaml")).CombinedOutput(); err != nil {
		t.Fatalf("config.yaml: %v\n%s", err, out)
	}
	ours := string(read(t, "manifest.yaml"))
	for _, module := range regexp.MustCompile(`gomod: (\S+ \S+)`).FindAllStringSubmatch(string(read(t, filepath.Join(dir, "builder.yaml"))), -1) {
		if !strings.Contains(ours, module[1]) {
			t.Errorf("builder.yaml has %s, and manifest.yaml does not", module[1])
		}
	}
	clone := "git clone --depth 1 https://github.com/leakveil/leakveil\n"
	if !strings.Contains(script[1], clone) {
		t.Fatal("the page clones something else")
	}
	if os.Getenv("LEAKVEIL_LONG") == "" {
		return
	}
	script[1] = strings.Replace(script[1], clone, "ln -s '"+root+"' leakveil\n", 1)
	script[3] = "until grep -q 'Everything is ready' collector.log; do kill -0 %1; sleep 0.1; done\n" + script[3] + "\nkill %1\nwait %1\n"
	cmd := exec.Command("bash", "-c", strings.Join(script, "\n"))
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	begun := time.Now()
	out, err := cmd.CombinedOutput()
	defer func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }() // what a failed script left
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, read(t, filepath.Join(dir, "collector.log")))
	}
	t.Logf("took %s", time.Since(begun).Round(time.Second))
	if want := regexp.MustCompile(`Body: Str\(POST /token client_id=web-shop&code_verifier=REDACTED\.code_verifier\.[\w-]+\.[\w-]{22}\)\n`); !want.Match(out) {
		t.Errorf("the page promises another output than\n%s", out)
	}
	if log := string(read(t, filepath.Join(dir, "collector.log"))); strings.Contains(log, "dGhpcy1pcy1ub3Qt") || !strings.Contains(log, `"engine": "portable"`) {
		t.Errorf("%s", log)
	}
}

// The examples of the READMEs are whole configurations that the Collector takes.
func TestExamples(t *testing.T) {
	program := backend.BuildOwn(t, backend.Hyperscan)
	rules, err := filepath.Abs("../../processor/testdata/rules")
	if err != nil {
		t.Fatal(err)
	}
	for page, least := range map[string]int{"../../processor/README.md": 5, "../../processor/leakveilconnector/README.md": 2} {
		blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(read(t, page)), -1)
		if len(blocks) < least {
			t.Errorf("%s: %d examples", page, len(blocks))
		}
		for i, block := range blocks {
			file, dir := filepath.Join(t.TempDir(), "config.yaml"), t.TempDir()
			text := strings.NewReplacer("/etc/leakveil/rules", rules, "/var/lib/otelcol/storage", dir).Replace(block[1])
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(program, "validate", "--config", file).CombinedOutput(); err != nil {
				t.Errorf("example %d of %s: %v\n%s", i+1, page, err, out)
			}
		}
	}
}
