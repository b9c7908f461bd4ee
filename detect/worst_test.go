package detect

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
)

// worstSeparators stand between repeated triggers: each opens another way through
// glue, values and what they go on with.
var worstSeparators = []string{"", " ", "&", `"`, `\`, "%25", ";", ",", "=", "\n", "Ab3", "('"}

// worstUnits are what no trigger's sample says: quotes, escapes and encodings.
var worstUnits = []string{
	`"`, `\`, "%25", "eyJ", "code=", "code_verifier=", `"code":"`, "{", "[[", "&quot;", `\u0022`, "=", "A", "Bearer ", "Basic ", "sl.", "8Q~",
	"eyJhbGciOiJub25lIn0.e30.", `{"access_token":"`, "client_secret=a%25%25:", "SAMLResponse=PHNhbWxwOlJlc3BvbnNl", "Cookie: a=b; ", "ZXlKaGJHY2lPaUo",
}

// worstTexts calls fn with megabytes made of one unit each: of every trigger's
// sample behind every separator, or one separator a trigger when few is set.
func worstTexts(db *Database, size int, few bool, fn func(unit string, text []byte)) {
	for _, unit := range worstUnits {
		fn(unit, bytes.Repeat([]byte(unit), size/len(unit)))
	}
	for i, t := range db.triggers {
		for j, sep := range worstSeparators {
			if few && j != i%len(worstSeparators) {
				continue
			}
			unit := string(t.appendSample(nil)) + sep
			fn(unit, bytes.Repeat([]byte(unit), size/len(unit)))
		}
	}
}

func scanTime(tb testing.TB, s *Scanner, text []byte, rounds int) time.Duration {
	b := &Batch{}
	b.SetLines(text)
	best := time.Duration(1<<63 - 1)
	for range rounds {
		best = min(best, cpuTime(tb, func() {
			if _, _, err := s.Scan(b); err != nil && err != ErrTooMany {
				tb.Fatal(err)
			}
		}))
	}
	return best
}

// A text made of nothing but one trigger costs no more than in proportion to its
// length.
func TestWorstTextsCostNoSquare(t *testing.T) {
	s := newScanner(t, defaultSet(t))
	const few = 16 // the long job tries all
	long, n := os.Getenv("LEAKVEIL_LONG") != "", 0
	worstTexts(s.db, 256<<10, true, func(unit string, text []byte) {
		if n++; !long && n > len(worstUnits) && n%few != 0 {
			return
		}
		var one, four time.Duration
		for range 3 { // a busy machine disturbs one try, a square all of them
			if one, four = scanTime(t, s, text[:len(text)/4], 3), scanTime(t, s, text, 2); four <= 12*one {
				return
			}
		}
		t.Errorf("%q: 64 KiB took %v, 256 KiB %v", unit, one, four)
	})
}

// BenchmarkWorst is how many times longer than a clean line's byte the worst byte
// takes, over texts of 1 MiB made of one trigger each.
func BenchmarkWorst(b *testing.B) {
	s := newScanner(b, defaultSet(b))
	clean := []byte(strings.Repeat("2026-11-25T10:00:00Z INFO request handled status=200 duration_ms=12 path=/api/v1/orders/8412\n", 1<<20/94))
	for b.Loop() {
		base := scanTime(b, s, clean, 5)
		worst, name := time.Duration(0), ""
		worstTexts(s.db, 1<<20, false, func(unit string, text []byte) {
			if d := scanTime(b, s, text, 1); d > worst {
				worst, name = d, unit
			}
		})
		b.ReportMetric(float64(worst)/float64(base), "x-clean")
		b.ReportMetric(worst.Seconds()*1e3, "ms/MiB")
		b.Logf("worst: %q", name)
	}
}
