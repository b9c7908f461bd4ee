package detect_test

import (
	"testing"

	"github.com/leakveil/leakveil/benchmarks/corpus"
	"github.com/leakveil/leakveil/detect"
	"github.com/leakveil/leakveil/rules"
)

// benchBytes is the size of the text that is scanned again and again: more than
// a processor's caches hold.
const benchBytes = 16 << 20

// arenas returns generated text cut into arenas at line ends, and the number of
// secrets that are planted in it.
func arenas(o corpus.Options) (out [][]byte, secrets int) {
	g := corpus.New(o)
	for total := 0; total < benchBytes; {
		arena := make([]byte, 0, 256<<10)
		for {
			line := g.Next()
			if len(arena)+len(line.Text)+1 > cap(arena) {
				break
			}
			arena = append(append(arena, line.Text...), '\n')
			secrets += len(line.Secrets)
		}
		out = append(out, arena)
		total += len(arena)
	}
	return out, secrets
}

// BenchmarkScan is the scan of one core in memory: bytes a second of each
// corpus, the number of findings checked.
func BenchmarkScan(b *testing.B) {
	set, err := rules.Default()
	if err != nil {
		b.Fatal(err)
	}
	db, err := detect.Compile(set)
	if err != nil {
		b.Fatal(err)
	}
	s, err := db.NewScanner()
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for name, o := range map[string]corpus.Options{"clean": corpus.Clean, "mixed": corpus.Mixed, "auth": corpus.Auth} {
		b.Run(name, func(b *testing.B) {
			text, secrets := arenas(o)
			b.SetBytes(benchBytes)
			b.ReportAllocs()
			for b.Loop() {
				found := 0
				for _, arena := range text {
					var batch detect.Batch
					batch.SetLines(arena)
					findings, _, err := s.Scan(&batch)
					if err != nil {
						b.Fatal(err)
					}
					found += len(findings)
				}
				if found != secrets {
					b.Fatalf("found %d, planted %d", found, secrets)
				}
			}
		})
	}
}
