package otlp

import (
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"golang.org/x/sys/unix"

	corpora "github.com/leakveil/leakveil/benchmarks/requests"
)

// BenchmarkDecoded is requests as a receiver gives them, just decoded; without masking, and
// with it. The difference is what a Collector pays.
func BenchmarkDecoded(b *testing.B) {
	for _, c := range corpora.Corpora {
		for _, shape := range corpora.Shapes {
			list := corpora.New(shape, c.Options, 8)
			var raw [][]byte
			text := 0
			for _, r := range list {
				var one []byte
				if shape == corpora.Spans {
					one, _ = (&ptrace.ProtoMarshaler{}).MarshalTraces(r.Traces)
				} else {
					one, _ = (&plog.ProtoMarshaler{}).MarshalLogs(r.Logs)
				}
				raw, text = append(raw, one), text+r.Text/len(list)
			}
			for _, m := range []*Masker{nil, testMasker(b, nil)} {
				name := c.Name + "/" + string(shape) + map[bool]string{true: "/decoded", false: "/masked"}[m == nil]
				b.Run(name, func(b *testing.B) {
					b.SetBytes(int64(text))
					b.ReportAllocs()
					from := cpu(b)
					for i := 0; b.Loop(); i++ {
						if err := decodeAndMask(shape, raw[i%len(raw)], m); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64(b.N)*float64(text)/1e6/(cpu(b)-from).Seconds(), "MB/cpu-s")
				})
			}
		}
	}
}

// cpu is the CPU time of the process so far: others may be at work on the machine.
func cpu(b *testing.B) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return time.Duration(t.Nano())
}

func decodeAndMask(shape corpora.Shape, raw []byte, m *Masker) error {
	if shape == corpora.Spans {
		td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(raw)
		if err != nil || m == nil {
			return err
		}
		_, err = m.Traces(td)
		return err
	}
	ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(raw)
	if err != nil || m == nil {
		return err
	}
	_, err = m.Logs(ld)
	return err
}
