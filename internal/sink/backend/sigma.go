package backend

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"testing"
)

// Sigma runs the tool of Sigma's authors in dir with the back ends for Splunk,
// Elasticsearch and OpenSearch, and returns what it writes to standard output.
func Sigma(t testing.TB, dir string, args ...string) string {
	t.Helper()
	return tool(t, dir, nil, filepath.Join(readers(t), "sigma"), args...)
}

// LogstashPipeline reads the text of a pipeline by its grammar, and fails the test
// unless it is one.
func LogstashPipeline(t testing.TB, text []byte) {
	t.Helper()
	tool(t, t.TempDir(), text, filepath.Join(readers(t), "python"), "-c",
		"import sys; from logstash_pipeline_parser import Pipeline; assert Pipeline(sys.stdin.read()).parse()")
}

func readers(t testing.TB) string {
	t.Helper()
	return filepath.Join(cached(t, "sigma-3.1.0", func(dir string) error {
		if err := command(dir, "python3", "-m", "venv", "venv"); err != nil {
			return err
		}
		return command(dir, "venv/bin/pip", "install", "-q", "sigma-cli==3.1.0", "pySigma==1.5.1", "pysigma-backend-splunk==2.1.0",
			"pysigma-backend-elasticsearch==2.1.1", "pysigma-backend-opensearch==2.0.3", "logstash-pipeline-parser==0.0.3")
	}), "venv", "bin")
}

// NodeModules returns a folder with Microsoft's reader of KQL, the types of
// Grafana's dashboards with a compiler for these, and the fields of the Elastic Common
// Schema.
func NodeModules(t testing.TB) string {
	t.Helper()
	return filepath.Join(cached(t, "node-2", func(dir string) error {
		return command(dir, "npm", "install", "--no-audit", "--no-fund", "--prefix", dir,
			"@kusto/language-service-next@12.4.1", "@grafana/schema@13.2.3", "typescript@5.9.3", "@elastic/ecs@9.4.0")
	}), "node_modules")
}

// tool runs a program to its end and fails the test unless it succeeds.
func tool(t testing.TB, dir string, stdin []byte, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if stdin != nil {
		cmd.Stdin = bytes.NewReader(stdin)
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s%s", name, args, err, out, said.String())
	}
	return string(out)
}
