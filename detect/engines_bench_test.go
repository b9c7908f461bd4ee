package detect_test

import (
	"testing"
	"time"

	"github.com/leakveil/leakveil/benchmarks/corpus"
	"github.com/leakveil/leakveil/detect"
)

// BenchmarkEngines scans each corpus with every engine of the build, one after the
// other within each round, and reports the best round of each in GB/s and the
// portable engine's share of the first one's speed. What is found is checked.
func BenchmarkEngines(b *testing.B) {
	all := scanners(b)
	for name, o := range map[string]corpus.Options{"clean": corpus.Clean, "mixed": corpus.Mixed, "auth": corpus.Auth} {
		b.Run(name, func(b *testing.B) {
			text, secrets := arenas(o)
			best := map[detect.Engine]time.Duration{}
			for b.Loop() {
				for _, engine := range detect.Engines() {
					took, found := timeScan(b, all[engine], text)
					if found != secrets {
						b.Fatalf("%s finds %d, planted are %d", engine, found, secrets)
					}
					if best[engine] == 0 || took < best[engine] {
						best[engine] = took
					}
				}
			}
			for engine, took := range best {
				b.ReportMetric(benchBytes/float64(took.Nanoseconds()), string(engine)+"-GB/s")
			}
			b.ReportMetric(float64(best[detect.Engines()[0]])/float64(best[detect.Portable]), "portable/first")
		})
	}
}

// timeScan returns how long all arenas took and what was found.
func timeScan(b *testing.B, s *detect.Scanner, text [][]byte) (took time.Duration, found int) {
	start := time.Now()
	for _, arena := range text {
		var batch detect.Batch
		batch.SetLines(arena)
		findings, _, err := s.Scan(&batch)
		if err != nil {
			b.Fatal(err)
		}
		found += len(findings)
	}
	return time.Since(start), found
}
