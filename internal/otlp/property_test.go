package otlp

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// drawn is a random request: how it marshals, is made read-only, and is masked.
type drawn struct {
	marshal  func() ([]byte, error)
	readOnly func()
	mask     func(*Masker) (Outcome, error)
}

func (r *source) request(signal int) drawn {
	switch signal % 3 {
	case 0:
		ld := r.logs()
		return drawn{
			func() ([]byte, error) { return (&plog.ProtoMarshaler{}).MarshalLogs(ld) }, ld.MarkReadOnly,
			func(m *Masker) (Outcome, error) { return m.Logs(ld) },
		}
	case 1:
		td := r.traces()
		return drawn{
			func() ([]byte, error) { return (&ptrace.ProtoMarshaler{}).MarshalTraces(td) }, td.MarkReadOnly,
			func(m *Masker) (Outcome, error) { return m.Traces(td) },
		}
	}
	md := r.metrics()
	return drawn{
		func() ([]byte, error) { return (&pmetric.ProtoMarshaler{}).MarshalMetrics(md) }, md.MarkReadOnly,
		func(m *Masker) (Outcome, error) { return m.Metrics(md) },
	}
}

// Not one call that changes anything is made for a clean request: it is marked as
// read-only, so that the first one would panic.
func TestCleanRequestsAreNotTouched(t *testing.T) {
	m := testMasker(t, func(o *Options) { o.Summary = true })
	r := &source{Rand: rand.New(rand.NewPCG(rand.Uint64(), 1))}
	for i := range 3000 {
		m.chunk = []int{chunkBytes, 1, 300}[r.IntN(3)]
		d := r.request(i)
		before, err := d.marshal()
		if err != nil {
			t.Fatal(err)
		}
		d.readOnly()
		out, err := d.mask(m)
		if err != nil || out.Changed || len(out.Detections)+len(out.Counts)+len(out.Withheld)+out.Dropped > 0 {
			t.Fatalf("round %d: %v, %+v\n%q", i, err, out, before)
		}
		if after, err := d.marshal(); err != nil || !bytes.Equal(before, after) {
			t.Fatalf("round %d: changed: %v\n%q\n%q", i, err, before, after)
		}
	}
}

// Secrets at random places are gone, wherever chunks end, and what is masked once is
// not changed again.
func TestPlantedSecretsAreMasked(t *testing.T) {
	m := testMasker(t, nil)
	again := testMasker(t, nil)
	r := &source{Rand: rand.New(rand.NewPCG(rand.Uint64(), 2)), plant: 0.1}
	planted := 0
	for i := range 3000 {
		m.chunk = []int{chunkBytes, 1, 300}[r.IntN(3)]
		r.drawn = r.drawn[:0]
		d := r.request(i)
		before, _ := d.marshal()
		out, err := d.mask(m)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := d.marshal()
		if err != nil {
			t.Fatal(err)
		}
		there := 0
		for _, v := range r.drawn {
			if bytes.Contains(before, []byte(v)) {
				there++
			}
			if bytes.Contains(raw, []byte(v[:12])) {
				t.Fatalf("round %d: %s is still there\n%q\n%q", i, v, before, raw)
			}
		}
		if planted += there; len(out.Detections) < there || out.Changed != (there > 0) {
			t.Fatalf("round %d: %d secrets, %d detections, changed %v", i, there, len(out.Detections), out.Changed)
		}
		d.readOnly()
		if out, err := d.mask(again); err != nil || out.Changed {
			t.Fatalf("round %d: masked twice: %v %+v\n%q", i, err, out, raw)
		}
	}
	if planted < 500 {
		t.Fatalf("only %d secrets were planted", planted)
	}
}

// shape writes a value with every text replaced by its type, so that two values of one
// shape have the same types in the same order.
func shape(v pcommon.Value) string {
	switch v.Type() {
	case pcommon.ValueTypeMap:
		out := "{"
		for _, v := range v.Map().All() {
			out += shape(v) + ","
		}
		return out + "}"
	case pcommon.ValueTypeSlice:
		out := "["
		for i := range v.Slice().Len() {
			out += shape(v.Slice().At(i)) + ","
		}
		return out + "]"
	case pcommon.ValueTypeStr, pcommon.ValueTypeBytes:
		return v.Type().String()
	}
	return v.Type().String() + v.AsString()
}

func TestTypesAndOrderStay(t *testing.T) {
	m := testMasker(t, nil)
	r := &source{Rand: rand.New(rand.NewPCG(rand.Uint64(), 3)), plant: 0.5}
	for i := range 500 {
		ld := plog.NewLogs()
		l := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		r.members(l.Body().SetEmptyMap(), 4)
		before := shape(l.Body())
		names := fmt.Sprint(l.Body().Map().Len())
		if _, err := m.Logs(ld); err != nil {
			t.Fatal(err)
		}
		if after := shape(l.Body()); after != before || names != fmt.Sprint(l.Body().Map().Len()) {
			t.Fatalf("round %d:\n%s\n%s", i, before, after)
		}
	}
}
