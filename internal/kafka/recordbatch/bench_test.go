package recordbatch

import (
	"fmt"
	"testing"
)

// logLines are about a megabyte of records that compress as logs do.
func logLines() []Record {
	recs := make([]Record, 5000)
	for i := range recs {
		recs[i] = Record{Timestamp: int64(i), Value: fmt.Appendf(nil,
			`{"ts":"2026-01-01T00:00:%02d.%03dZ","level":"info","service":"checkout","trace":"%016x","msg":"GET /api/items/%d 200","ms":%d}`,
			i%60, i%1000, i*2654435761, i*7919%100000, i%97)}
	}
	return recs
}

// What a batch without findings costs: encoded again, and readdressed.
func BenchmarkCleanBatch(b *testing.B) {
	recs := logLines()
	for _, codec := range allCodecs {
		var encoder Encoder
		raw, err := encoder.Encode(nil, Plain(codec), recs)
		if err != nil {
			b.Fatal(err)
		}
		dst := make([]byte, 0, 2*len(raw))
		b.Run("encode/"+codec.String(), func(b *testing.B) {
			for b.Loop() {
				if _, err := encoder.Encode(dst, Plain(codec), recs); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("readdress/"+codec.String(), func(b *testing.B) {
			for b.Loop() {
				Readdress(dst, raw, Plain(codec))
			}
		})
	}
}
