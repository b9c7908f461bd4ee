package otlp

import (
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/xpdata"
)

// members fills a map with n members that all have the same name.
func sameName(m pcommon.Map, n int, name, value string) {
	var b xpdata.MapBuilder
	for range n {
		b.AppendEmpty(name).SetStr(value)
	}
	b.UnsafeIntoMap(m)
}

// What anyone may send is read in time that grows with its length: names are not written
// over and over, nor looked for again for each member. (Were they, this test would take
// hours.)
func TestCraftedStructures(t *testing.T) {
	const n = 100_000
	long := strings.Repeat("a.long.name.", 20_000)
	for name, write := range map[string]func(l plog.LogRecord){
		"many values":         func(l plog.LogRecord) { sameName(l.Attributes(), n, "value", "xxxxxx") },
		"many values in body": func(l plog.LogRecord) { sameName(l.Body().SetEmptyMap(), n, "value", "xxxxxx") },
		"pairs": func(l plog.LogRecord) {
			m := l.Body().SetEmptyMap()
			sameName(m, n, "value", "xxxxxx")
			m.PutStr("name", "password")
		},
		"a long name before a list": func(l plog.LogRecord) {
			s := l.Attributes().PutEmptySlice(long)
			for range n {
				s.AppendEmpty().SetStr("xxxx")
			}
		},
		"a list of names": func(l plog.LogRecord) {
			s := l.Attributes().PutEmptySlice(strings.Repeat("n", 120))
			for range n {
				s.AppendEmpty().SetStr("abc")
			}
		},
		"pairs in pairs": func(l plog.LogRecord) {
			at := l.Body()
			for range maxDepth/2 - 1 {
				m := at.SetEmptyMap()
				m.PutStr("name", strings.Repeat("k", 60))
				at = m.PutEmpty("value").SetEmptySlice().AppendEmpty()
			}
			m := at.SetEmptyMap()
			sameName(m, n/10, "value", "xxxxxx")
		},
		"names that are masked": func(l plog.LogRecord) {
			v := secret()
			sameName(l.Body().SetEmptyMap(), n/10, "code_verifier="+v, "x")
		},
	} {
		t.Run(name, func(t *testing.T) {
			ld := plog.NewLogs()
			write(ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
			size := (&plog.ProtoMarshaler{}).LogsSize(ld)
			out, err := testMasker(t, func(o *Options) { o.Detect = false }).Logs(ld)
			if err != nil || len(out.Withheld) > 0 {
				t.Fatalf("%v, %v", err, out.Withheld)
			}
			if out.Bytes > 16*size {
				t.Errorf("%d bytes were scanned for a request of %d", out.Bytes, size)
			}
		})
	}
}
