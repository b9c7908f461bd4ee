package otlp

import (
	"bytes"
	"fmt"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/leakveil/leakveil/benchmarks/corpus"
	"github.com/leakveil/leakveil/internal/pipeline"
)

const batchLines = 1000

// corpusLogs is a batch of lines as bodies.
func corpusLogs(o corpus.Options, attributes int) (ld plog.Logs, text int) {
	g := corpus.New(o)
	ld = plog.NewLogs()
	r := ld.ResourceLogs().AppendEmpty()
	r.Resource().Attributes().PutStr("service.name", "shop")
	records := r.ScopeLogs().AppendEmpty().LogRecords()
	for range batchLines {
		line := g.Next()
		l := records.AppendEmpty()
		l.Body().SetStr(string(line.Text))
		text += len(line.Text)
		for i := range attributes {
			name, value := fmt.Sprintf("http.request.attribute.n%c", 'a'+i), fmt.Sprintf("some value %d of it", i)
			l.Attributes().PutStr(name, value)
			text += len(name) + len(value)
		}
	}
	return ld, text
}

// allocations of one masking of a request, copied out of the count.
func allocations(t testing.TB, m *Masker, ld plog.Logs) float64 {
	t.Helper()
	const rounds = 20
	copies := make([]plog.Logs, rounds+2)
	for i := range copies {
		copies[i] = plog.NewLogs()
		ld.CopyTo(copies[i])
	}
	i := 0
	return testing.AllocsPerRun(rounds, func() {
		if _, err := m.Logs(copies[i]); err != nil {
			t.Fatal(err)
		}
		i++
	})
}

func TestAllocations(t *testing.T) {
	quiet := testMasker(t, func(o *Options) { o.Detect = false })
	telling := testMasker(t, nil)
	clean, _ := corpusLogs(corpus.Options{Seed: 1}, 0)
	attributes, _ := corpusLogs(corpus.Options{Seed: 1}, 10)
	for name, ld := range map[string]plog.Logs{"bodies": clean, "attributes": attributes} {
		for _, m := range []*Masker{quiet, telling} {
			if n := allocations(t, m, ld) / batchLines; n > 0.03 {
				t.Errorf("%s: %.3f allocations a clean record", name, n)
			}
		}
	}
	leaking := plog.NewLogs()
	records := leaking.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for range batchLines {
		records.AppendEmpty().Body().SetStr("GET /cb?code_verifier=" + secret() + " HTTP/1.1")
	}
	if n := allocations(t, quiet, leaking) / batchLines; n > 2 {
		t.Errorf("%.2f allocations a leaking record", n)
	}
	t.Logf("%.2f allocations a leaking record whose detection is told", allocations(t, telling, leaking)/batchLines)
}

// Bodies are masked as lines are: one grammar, whatever carries the text.
func TestBodiesAreMaskedAsLines(t *testing.T) {
	o := testOptions(t)
	w, err := pipeline.NewWorker(o.Pipeline)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	m := testMasker(t, nil)
	for _, options := range []corpus.Options{corpus.Clean, corpus.Mixed, corpus.Auth, {Seed: 4, LeakEvery: 1}} {
		ld, _ := corpusLogs(options, 0)
		g := corpus.New(options)
		if _, err := m.Logs(ld); err != nil {
			t.Fatal(err)
		}
		records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
		var l pipeline.Lines
		for i := range records.Len() {
			line := g.Next()
			w.Lines(&l, line.Text)
			if got := records.At(i).Body().Str(); !bytes.Equal([]byte(got), l.Text()) {
				t.Errorf("as a body %q\nas a line %q", got, l.Text())
			}
		}
	}
}

func BenchmarkMasker(b *testing.B) {
	for name, o := range map[string]corpus.Options{"clean": corpus.Clean, "mixed": corpus.Mixed, "auth": corpus.Auth} {
		for _, attributes := range []int{0, 10} {
			b.Run(fmt.Sprintf("%s/attributes=%d", name, attributes), func(b *testing.B) {
				m := testMasker(b, func(o *Options) { o.Detect = false })
				ld, size := corpusLogs(o, attributes)
				// Masked once, a request stays as it is: copies would cost more than the work.
				fresh := func() []plog.Logs {
					list := make([]plog.Logs, 50)
					for i := range list {
						list[i] = plog.NewLogs()
						ld.CopyTo(list[i])
					}
					return list
				}
				list := fresh()
				b.SetBytes(int64(size))
				b.ReportAllocs()
				b.ResetTimer()
				for i := 0; b.Loop(); i++ {
					if i%len(list) == 0 && i > 0 && o.LeakEvery > 0 {
						b.StopTimer()
						list = fresh()
						b.StartTimer()
					}
					if _, err := m.Logs(list[i%len(list)]); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
