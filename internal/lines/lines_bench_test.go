package lines_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/leakveil/leakveil/benchmarks/corpus"
	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/internal/lines"
	"github.com/leakveil/leakveil/internal/pipeline"
	"github.com/leakveil/leakveil/redact"
	"github.com/leakveil/leakveil/rules"
)

const benchBytes = 16 << 20

// BenchmarkCopy is one worker's whole path in memory, without files: bytes a
// second of each corpus, the number of findings checked.
func BenchmarkCopy(b *testing.B) {
	set, err := rules.Default()
	if err != nil {
		b.Fatal(err)
	}
	db, err := detect.Compile(set)
	if err != nil {
		b.Fatal(err)
	}
	options := pipeline.Options{Database: db, Key: redact.RandomKey()}
	newWorker := func() (*pipeline.Worker, error) { return pipeline.NewWorker(options) }
	for name, o := range map[string]corpus.Options{"clean": corpus.Clean, "mixed": corpus.Mixed, "auth": corpus.Auth} {
		b.Run(name, func(b *testing.B) {
			var text []byte
			secrets := int64(0)
			for g := corpus.New(o); len(text) < benchBytes; {
				line := g.Next()
				text = append(append(text, line.Text...), '\n')
				secrets += int64(len(line.Secrets))
			}
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				stats, err := lines.Copy(io.Discard, bytes.NewReader(text), lines.Options{NewWorker: newWorker})
				if err != nil || stats.Findings != secrets {
					b.Fatalf("found %d, planted %d, error %v", stats.Findings, secrets, err)
				}
			}
		})
	}
}
