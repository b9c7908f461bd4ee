package leakveilprocessor

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/plogtest"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/pmetrictest"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/ptracetest"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/leakveil/leakveil/processor/internal/metadata"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fingerprints differ with every random secret.
var fingerprints = regexp.MustCompile(`(REDACTED\.[a-z_]+\.test-1\.)[A-Za-z0-9_-]{22}`)

// Golden files have SECRET where a random value stands in the test, and FINGERPRINT for
// what its mask says of it.
func TestGolden(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.FingerprintKey.Value, cfg.FingerprintKey.ID, cfg.AddSummary = "0123456789abcdef0123456789abcdef", "test-1", true
	ctx, set, f := context.Background(), processortest.NewNopSettings(metadata.Type), NewFactory()
	run := func(name string, work func(in, out, want string) error) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			text, err := os.ReadFile(filepath.Join("testdata", "golden", name+".in.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			for strings.Contains(string(text), "SECRET") {
				text = []byte(strings.Replace(string(text), "SECRET", randomVerifier(), 1))
			}
			in, out, want := filepath.Join(dir, "in.yaml"), filepath.Join(dir, "out.yaml"), filepath.Join("testdata", "golden", name+".out.yaml")
			if err := os.WriteFile(in, text, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := work(in, out, want); err != nil {
				t.Error(err)
			}
		})
	}
	start := func(c component.Component, err error) {
		if err == nil {
			err = c.Start(ctx, componenttest.NewNopHost())
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := c.Shutdown(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	run("logs", func(in, out, want string) error {
		next := new(consumertest.LogsSink)
		p, err := f.CreateLogs(ctx, set, cfg, next)
		start(p, err)
		return compare(out, want, func() (plog.Logs, error) {
			ld, err := golden.ReadLogs(in)
			if err == nil {
				err = p.ConsumeLogs(ctx, ld)
			}
			return ld, err
		}, golden.WriteLogsToFile, golden.ReadLogs, func(a, b plog.Logs) error { return plogtest.CompareLogs(a, b) })
	})
	run("traces", func(in, out, want string) error {
		p, err := f.CreateTraces(ctx, set, cfg, consumertest.NewNop())
		start(p, err)
		return compare(out, want, func() (ptrace.Traces, error) {
			td, err := golden.ReadTraces(in)
			if err == nil {
				err = p.ConsumeTraces(ctx, td)
			}
			return td, err
		}, golden.WriteTracesToFile, golden.ReadTraces, func(a, b ptrace.Traces) error { return ptracetest.CompareTraces(a, b) })
	})
	run("metrics", func(in, out, want string) error {
		p, err := f.CreateMetrics(ctx, set, cfg, consumertest.NewNop())
		start(p, err)
		return compare(out, want, func() (pmetric.Metrics, error) {
			md, err := golden.ReadMetrics(in)
			if err == nil {
				err = p.ConsumeMetrics(ctx, md)
			}
			return md, err
		}, func(path string, md pmetric.Metrics) error { return golden.WriteMetricsToFile(path, md) }, golden.ReadMetrics, func(a, b pmetric.Metrics) error { return pmetrictest.CompareMetrics(a, b) })
	})
}

// compare writes what work gives, without the fingerprints, and compares it with the golden
// file.
func compare[T any](out, want string, work func() (T, error), write func(string, T) error, read func(string) (T, error), same func(a, b T) error) error {
	data, err := work()
	if err != nil {
		return err
	}
	if err := write(out, data); err != nil {
		return err
	}
	text, err := os.ReadFile(out)
	if err != nil {
		return err
	}
	text = fingerprints.ReplaceAll(text, []byte("${1}FINGERPRINT"))
	if *update {
		return os.WriteFile(want, text, 0o644)
	}
	if err := os.WriteFile(out, text, 0o600); err != nil {
		return err
	}
	got, err := read(out)
	if err != nil {
		return err
	}
	expected, err := read(want)
	if err != nil {
		return err
	}
	return same(expected, got)
}
